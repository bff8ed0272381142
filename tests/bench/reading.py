# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The event that everything is measured with: 130 bytes of JSON.

Juice and juicebus get the same class, each derived from its own Event; what measures
transport alone gets the bytes.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any, ClassVar

EVENT_BYTES = 130
NAME = "Reading"
SENSOR = "fridge.4K"
KEY = f"{NAME}.{SENSOR}.".encode()


def reading_class(event: type[Any]) -> type[Any]:
    """Return the class of the event, derived from an Event class."""

    class Reading(event):  # type: ignore[misc]
        measurement: ClassVar[str] = "reading"
        sensor: Annotated[str, "tag"]
        number: int
        sent_ns: int
        kelvin: float
        ohms: float

        def topic(self) -> str:
            return self.sensor

    return Reading


def reading(event_class: type[Any], number: int) -> Any:
    """Return an event of the class."""
    event = event_class(
        time=datetime(2026, 11, 23, 12, 34, 56, 789012, tzinfo=timezone.utc),
        sensor=SENSOR,
        number=number,
        sent_ns=123_456_789_012_345,
        kelvin=4.21875,
        ohms=1043.5,
    )
    (payload,) = event.to_msg()
    assert payload == payload_of(number), payload
    return event


def payload_of(number: int) -> bytes:
    """Return the JSON of an event; those with a number of four digits have 130 bytes."""
    return (
        f'{{"time":"2026-11-23T12:34:56.789012Z","sensor":"{SENSOR}","number":{number},'
        '"sent_ns":123456789012345,"kelvin":4.21875,"ohms":1043.5}'
    ).encode()


assert len(payload_of(1000)) == EVENT_BYTES
