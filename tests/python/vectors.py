# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Reads the vectors that all languages share, as `tests/vectors/README.md` says.

From the data files to `test_vectors.py`, which runs them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent.parent / "vectors"
_FIELDS = {
    "keys": {"id", "name", "name_hex", "topic", "topic_hex", "key_hex", "status"},
    "filters": {"id", "subscribe", "events"},
    "payloads": {"id", "payload_hex", "status", "reason", "format"},
    "status": {"id", "constant", "number", "text"},
}

Vector = dict[str, Any]


def load(kind: str) -> list[Vector]:
    """Return the vectors of one file; a field that is not known here is an error."""
    found: list[Vector] = json.loads((_FOLDER / f"{kind}.json").read_text())["vectors"]
    for vector in found:
        unknown = vector.keys() - _FIELDS[kind]
        assert not unknown, f"{kind}.json, {vector['id']}: unknown fields {unknown}"
    return found


def bytes_of(notation: str) -> bytes:
    """Return the bytes of the hex notation: `a1 81*3` is a1 81 81 81."""
    pieces = [piece.partition("*") for piece in notation.split()]
    return b"".join(bytes.fromhex(digits) * int(times or 1) for digits, _, times in pieces)


def text_of(vector: Vector, field: str) -> str | None:
    """Return a name or topic; bytes that are not UTF-8 become lone surrogates."""
    if field + "_hex" in vector:
        return bytes_of(vector[field + "_hex"]).decode("utf-8", "surrogateescape")
    text: str | None = vector[field]
    return text
