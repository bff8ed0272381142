# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The short way from events that are flat: text, numbers, truth and times.

Most events are. The fields of such a one are written as they lie in it, in MessagePack,
which the library sends as CBOR; asking pydantic for the fields first and cbor2 for the
bytes then takes many times as long. What is not as simple as it looks goes the long way:
a value of another type than these, or a class that has a say in how it is written.
next: _codec.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

from pydantic import BaseModel

# Returns the payload of an event.
Writer = Callable[[Any], bytes]

_UTC = timezone.utc

# The schemas whose values pydantic hands out as they are, and what leads to those.
_PLAIN = frozenset({"str", "int", "float", "bool", "none", "datetime", "any", "literal"})
_INSIDE = frozenset({"default", "nullable", "function-before", "function-after", "function-wrap"})

# A value's own type: a subclass, such as an enum that is a str, goes the long way.
_TYPES = frozenset({str, int, float, bool, type(None), datetime})


def writer_for(event_class: type[BaseModel], long_way: Writer) -> Writer:
    """Return what writes events of a class: the long way where those have to go it."""
    fields = _plain_fields(event_class)
    if fields is None:
        return long_way
    from msgspec.msgpack import Encoder  # some milliseconds, for those who publish

    count = len(fields)
    # Those whose value can be a time.
    times = tuple(n for n, f in fields.items() if _kind(f) in ("datetime", "any"))
    is_plain = _TYPES.issuperset
    encode = Encoder().encode
    # Each attribute of a model costs as much as a call.
    may_have_more = event_class.model_config.get("extra") == "allow"

    def write(event: Any) -> bytes:
        values = event.__dict__
        if len(values) != count or not is_plain(map(type, values.values())):
            return long_way(event)
        if may_have_more and event.__pydantic_extra__:
            return long_way(event)
        for name in times:
            value = values[name]
            if type(value) is datetime and value.tzinfo is not _UTC and not _is_utc(value):
                return long_way(event)
        try:
            return encode(values)
        except OverflowError:  # an integer of more than 64 bits
            return long_way(event)

    return write


def _is_utc(time: datetime) -> bool:
    """Tell whether MessagePack, which has times in UTC only, can hold a time."""
    return time.tzinfo is not None and not time.utcoffset()


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
    hidden = any(key.startswith("serialization_exclude") for key in field)
    own_form = any("serialization" in s for s in _chain(field["schema"], _INSIDE))
    return _kind(field) in _PLAIN and not hidden and not own_form


def _kind(field: dict[str, Any]) -> Any:
    """Return the type of a field's schema, without what is around it."""
    *_, schema = _chain(field["schema"], _INSIDE)
    return schema["type"]


def _chain(schema: dict[str, Any], inside: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Yield a schema, and those that it wraps."""
    while schema["type"] in inside:
        yield schema
        schema = schema["schema"]
    yield schema
