# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Tells whether an event class wants NumPy arrays: whether a field's type mentions NumPy.

It looks into containers, unions, Annotated and nested models. NumPy is not imported: a
class that mentions it has done so. next: _codec.py
"""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel


def mention_numpy(model: type[BaseModel]) -> bool:
    """Tell whether the types of a model's fields, or of its parts' fields, are NumPy's."""
    return _mentions(model, set())


def _mentions(annotation: Any, seen: set[int]) -> bool:
    if id(annotation) in seen:
        return False
    seen.add(id(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        # Not model_fields: some classes replace that.
        fields = annotation.__pydantic_fields__.values()
        return any(_mentions(part, seen) for field in fields for part in _parts_of_field(field))
    # A type alias keeps what it stands for in __value__.
    parts = (get_origin(annotation), getattr(annotation, "__value__", None), *get_args(annotation))
    return _is_numpy(annotation) or any(_mentions(p, seen) for p in parts if p is not None)


def _parts_of_field(field: Any) -> tuple[Any, ...]:
    return (field.annotation, *field.metadata)


def _is_numpy(annotation: Any) -> bool:
    return str(getattr(annotation, "__module__", "")).partition(".")[0] == "numpy"
