# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The short way to CBOR for events that are flat: text, numbers, truth and times.

Most events are. Such a one is written field by field, with the keys encoded once for
their class; asking pydantic for the fields first and cbor2 for the bytes then takes three
times as long. What is not as simple as it looks goes the long way: a value of another
type than these, or a class that has a say in how it is written. next: _codec.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache, partial
from operator import itemgetter
from struct import Struct
from typing import Any

from pydantic import BaseModel

from juicebus import _cbor

# Returns the payload of an event, or None if it has to go the long way.
Writer = Callable[[Any], "bytes | None"]

_UTC = timezone.utc
_EPOCH = datetime(1970, 1, 1, tzinfo=_UTC)

# A map's head is one byte up to here.
_FIELDS_MAX = 23

# The schemas whose values pydantic hands out as they are, and what leads to those.
_PLAIN = frozenset({"str", "int", "float", "bool", "none", "datetime", "any", "literal"})
_INSIDE = frozenset({"default", "nullable", "function-before", "function-after", "function-wrap"})


def writer_for(event_class: type[BaseModel]) -> Writer | None:
    """Return what writes events of a class; None: all of them have to go the long way."""
    names = _plain_fields(event_class)
    if names is None or not 2 <= len(names) <= _FIELDS_MAX:
        return None
    keys = [_write_text(name).replace(b"%", b"%%") for name in names]
    template = bytes([0xA0 + len(keys)]) + b"".join(key + b"%b" for key in keys)
    values_of, writers = itemgetter(*names), _WRITERS

    def write(event: Any) -> bytes | None:
        try:
            values = [writers[type(value)](value) for value in values_of(event.__dict__)]
        except KeyError:
            return None
        return None if event.__pydantic_extra__ else template % tuple(values)

    return write


def reads_names_only(event_class: type[BaseModel]) -> bool:
    """Tell whether a flat class has neither aliases nor fields that are strict."""
    fields = _plain_fields(event_class)
    return (
        fields is not None
        and not event_class.model_config.get("strict")
        and not any("validation_alias" in field for field in fields.values())
        and not any("strict" in s for f in fields.values() for s in _chain(f["schema"], _INSIDE))
    )


def _plain_fields(event_class: type[BaseModel]) -> dict[str, dict[str, Any]] | None:
    schema: Any = vars(event_class).get("__pydantic_core_schema__")
    if event_class.model_dump is not BaseModel.model_dump or not isinstance(schema, dict):
        return None
    *around, inner = _chain(schema, _INSIDE | {"model"})
    if inner["type"] != "model-fields" or any(s.get("root_model") for s in around):
        return None
    if any("serialization" in s for s in (*around, inner)):
        return None
    fields: dict[str, dict[str, Any]] = inner["fields"]
    return fields if all(map(_is_plain_field, fields.values())) else None


def _is_plain_field(field: dict[str, Any]) -> bool:
    schemas = list(_chain(field["schema"], _INSIDE))
    hidden = any(key.startswith("serialization_exclude") for key in field)
    own_form = any("serialization" in s for s in schemas)
    return schemas[-1]["type"] in _PLAIN and not hidden and not own_form


def _chain(schema: dict[str, Any], inside: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Yield a schema, and those that it wraps."""
    while schema["type"] in inside:
        yield schema
        schema = schema["schema"]
    yield schema


def _write_text(value: str) -> bytes:
    raw = value.encode()
    size = len(raw)
    return _TEXT_HEADS[size] + raw if size < 256 else _cbor.dumps(value)


def _write_int(value: int) -> bytes:
    if 0 <= value < 24:
        return _SMALL_INTS[value]
    if 0 < value < 1 << 64:
        return _INTS[value.bit_length()](value)
    return _cbor.dumps(value)


def _write_datetime(value: datetime) -> bytes:
    if value.tzinfo is _UTC:
        since = value - _EPOCH
        if microseconds := since.microseconds:
            return b"%b.%06d+00:00" % (_second(since.days, since.seconds), microseconds)
    return _cbor.dumps(value)


@lru_cache(maxsize=64)
def _second(days: int, seconds: int) -> bytes:
    """Return the beginning of a time with microseconds: most are of the latest second."""
    text = (_EPOCH + timedelta(days, seconds)).isoformat()
    return b"\xc0\x78\x20" + text[: text.index("+")].encode()


_TEXT_HEADS = [bytes([0x60 + n]) if n < 24 else bytes([0x78, n]) for n in range(256)]
_SMALL_INTS = [bytes([n]) for n in range(24)]
# By how many bits a larger one has: 0 to 8, to 16, to 32, to 64.
_INTS = [
    partial(Struct(f">B{code}").pack, head)
    for head, code, sizes in ((0x18, "B", 9), (0x19, "H", 8), (0x1A, "I", 16), (0x1B, "Q", 32))
    for _ in range(sizes)
]

# By the value's own type: a subclass, such as an enum that is a str, goes the long way.
_WRITERS: dict[type, Callable[[Any], bytes]] = {
    str: _write_text,
    int: _write_int,
    float: partial(Struct(">Bd").pack, 0xFB),
    bool: {True: b"\xf5", False: b"\xf4"}.__getitem__,
    type(None): {None: b"\xf6"}.__getitem__,
    datetime: _write_datetime,
}
