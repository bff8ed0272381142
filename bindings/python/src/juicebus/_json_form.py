# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Reads fields that came as CBOR as if they had come as JSON, where that makes a difference.

What CBOR has no type for travels in it in JSON's form: a time without an offset as text. To
pydantic text is text, if the field can hold that too; in JSON it would first try whether it
is the time. And a strict field would refuse it, while in JSON it knows that form. So both
are read by way of JSON. next: _codec.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

Reader = Callable[[Any], Any]

_TIMES = frozenset({"datetime", "date", "time", "timedelta"})
_TEXTS = _TIMES | {"str", "any"}


def reads_like_json(event_class: Any, validate: Reader) -> Reader:
    """Return what reads a complete class's fields: as JSON if that differs, else as they are.

    Bytes, and what JSON has no form for, are read as they are.
    """
    if not any(map(_differs, _parts(vars(event_class).get("__pydantic_core_schema__")))):
        return validate

    def read(fields: Any) -> Any:
        if _has_bytes(fields):
            return validate(fields)
        try:
            text = to_json(fields, inf_nan_mode="constants")
        except PydanticSerializationError:
            return validate(fields)
        return event_class.model_validate_json(text, by_alias=False, by_name=True)

    return read


def _differs(schema: dict[Any, Any]) -> bool:
    if schema.get("strict"):
        return True
    if schema.get("type") != "union":
        return False
    kinds = {_kind(choice) for choice in schema["choices"]}
    return len(kinds & _TEXTS) > 1 and bool(kinds & _TIMES)


def _kind(choice: Any) -> Any:
    """Return the type of a union's choice, which may have a label."""
    schema = choice[0] if isinstance(choice, tuple) else choice
    while "schema" in schema and schema["type"] not in _TEXTS:
        schema = schema["schema"]
    return schema["type"]


def _parts(schema: Any) -> Iterator[dict[Any, Any]]:
    """Yield a schema and all that are in it."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from _parts(part)
    elif isinstance(schema, (list, tuple)):
        for part in schema:
            yield from _parts(part)


def _has_bytes(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_bytes, value.values()))
    if isinstance(value, list):
        return any(map(_has_bytes, value))
    return isinstance(value, bytes)
