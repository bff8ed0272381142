# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The event classes of the conformance run, moved to juicebus.

They differ from `juice_events.py` in the import of the base classes only. Juice's
own TemperaturePoint stays what it is: juicebus takes it as an event type too.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from orangeqs.juice.fridge.data_structures import TemperaturePoint

from juicebus import Event, MessagePart


class Span(MessagePart):
    """A nested part."""

    low: float
    high: float
    unit: str


class Reading(Event):
    """An event with every kind of field that a fleet commonly sends."""

    measurement: ClassVar[str] = "conformance_reading"
    wire_name: ClassVar[str] = "lab.Reading"

    channel: str | None
    publisher: str
    number: int
    value: float
    note: str
    span: Span
    samples: list[float]
    comment: str | None

    @classmethod
    def name(cls) -> str:
        """Return the name, which holds dots."""
        return cls.wire_name

    def topic(self) -> str | None:
        """Return the channel."""
        return self.channel


@cache
def event_type(name: str) -> type[Any]:
    """Return the event class of a name; every name but Juice's own is a Reading."""
    if name == TemperaturePoint.name():
        return TemperaturePoint
    return type("Reading", (Reading,), {"wire_name": name, "__module__": __name__})
