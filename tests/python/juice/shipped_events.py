# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# Every event class that Juice ships, and an event of each: one value per field,
# made from the field's annotation.
from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import types
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, Union, get_args, get_origin

import orangeqs.juice
from orangeqs.juice.messaging import Event

VALUES: dict[Any, Any] = {
    str: 'Kühler "4K" \\ ✓',
    int: -(2**53) - 1,
    float: 0.1 + 0.2,
    bool: True,
    datetime: datetime(2026, 11, 23, 17, 4, 5, 123457, timezone(timedelta(hours=5, minutes=30))),
    Any: {"nested": [1, 2.5, None, "text"]},
}


def derived(base: type[Event]) -> Iterator[type[Event]]:
    for cls in base.__subclasses__():
        yield cls
        yield from derived(cls)


def shipped() -> list[type[Event]]:
    """The concrete event classes in the package, whichever of its modules has them."""
    unimportable: list[str] = []
    walk = pkgutil.walk_packages(
        orangeqs.juice.__path__, "orangeqs.juice.", onerror=unimportable.append
    )
    for module in walk:
        # These need Sphinx, or run a program when they are imported.
        if "._sphinx" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert set(unimportable) <= {"orangeqs.juice._sphinx"}
    ours = {cls for cls in derived(Event) if cls.__module__.startswith("orangeqs.juice.")}
    concrete = [cls for cls in ours if not inspect.isabstract(cls)]
    return sorted(concrete, key=lambda cls: (cls.__module__, cls.__qualname__))


def value_of(annotation: Any) -> Any:
    """A value of an annotated type; KeyError for a type that no field has had so far."""
    origin = get_origin(annotation)
    if origin is Literal:
        return get_args(annotation)[-1]
    if origin in (Union, types.UnionType):
        return value_of(get_args(annotation)[0])
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return list(annotation)[-1]
    return VALUES[annotation]


def example(cls: type[Event]) -> Event:
    """An event whose fields all have a value of their own."""
    return cls(
        **{
            field.alias or name: value_of(field.annotation)
            for name, field in cls.__pydantic_fields__.items()
        }
    )
