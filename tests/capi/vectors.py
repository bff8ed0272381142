# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Turns tests/vectors/*.json into a C header, at build time.

Every text becomes hex in the notation of tests/vectors/README.md, so that the C side
reads one kind of field (vector.h does). A field that no table here knows is an error.
"""

import json
import sys
from pathlib import Path
from typing import Any

Vector = dict[str, Any]
NAME_FIELDS = {"name", "name_hex", "topic", "topic_hex"}


def load(path: Path, fields: set[str]) -> list[Vector]:
    """Return a file's vectors; refuse fields that are not among these."""
    vectors: list[Vector] = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    for vector in vectors:
        unknown = vector.keys() - fields - {"id"}
        if unknown:
            raise SystemExit(f"{path.name}: vector {vector['id']}: unknown {sorted(unknown)}")
    return vectors


def hex_of(vector: Vector, field: str) -> str:
    """Return a text field, or its _hex twin, as a C literal; NULL for null."""
    if f"{field}_hex" in vector:
        return f'"{vector[f"{field}_hex"]}"'
    text = vector.get(field)
    return "NULL" if text is None else f'"{text.encode().hex()}"'


def status_of(vector: Vector) -> str:
    """Return the status's constant."""
    return f"JUICEBUS_{vector.get('status', 'OK')}"


def keys(path: Path) -> list[str]:
    """Return the lines of the table of keys."""
    lines = ["static const struct key_vector key_vectors[] = {"]
    for v in load(path, NAME_FIELDS | {"key_hex", "status"}):
        names = f"{hex_of(v, 'name')}, {hex_of(v, 'topic')}, {hex_of(v, 'key')}"
        lines.append(f'    {{"{v["id"]}", {names}, {status_of(v)}}},')
    return [*lines, "};"]


def filters(path: Path) -> list[str]:
    """Return the lines of the table of filters: steps, each a subscription or an event."""
    lines = ["static const struct filter_step filter_steps[] = {"]
    for v in load(path, {"subscribe", "events"}):
        for step in v["subscribe"]:
            names = f"{hex_of(step, 'name')}, {hex_of(step, 'topic')}"
            lines.append(f'    {{"{v["id"]}", 1, {names}, {status_of(step)}, NULL, NULL}},')
        for step in v["events"]:
            names = f"{hex_of(step, 'name')}, {hex_of(step, 'topic')}"
            got = step["received"] or {}
            seen = f"{hex_of(got, 'name')}, {hex_of(got, 'topic')}"
            lines.append(f'    {{"{v["id"]}", 0, {names}, JUICEBUS_OK, {seen}}},')
    return [*lines, "};"]


def payloads(path: Path) -> list[str]:
    """Return the lines of the table of payloads."""
    lines = ["static const struct payload_vector payload_vectors[] = {"]
    for v in load(path, {"payload_hex", "status", "reason", "format"}):
        reason = f'"{v.get("reason", "")}"'
        what = f"{hex_of(v, 'payload')}, {status_of(v)}, {reason}, JUICEBUS_FORMAT_{v['format']}"
        lines.append(f'    {{"{v["id"]}", {what}}},')
    return [*lines, "};"]


def statuses(path: Path) -> list[str]:
    """Return the lines of the table of statuses."""
    lines = ["static const struct status_vector status_vectors[] = {"]
    for v in load(path, {"constant", "number", "text"}):
        # A number without a constant stands for itself.
        constant = v["constant"] or v["number"]
        lines.append(f'    {{"{v["id"]}", {constant}, {v["number"]}, "{v["text"]}"}},')
    return [*lines, "};"]


def main() -> None:
    """Write the header of one vector file: vectors.py tests/vectors/keys.json keys.h."""
    source, target = map(Path, sys.argv[1:])
    table = {"keys": keys, "filters": filters, "payloads": payloads, "status": statuses}
    Path(target).write_text("\n".join(table[source.stem](source)) + "\n", encoding="utf-8")


main()
