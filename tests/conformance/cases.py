# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What the publishers of one bus send, and what each subscriber must get of it.

The events are made here, of Juice's own classes, and go as lines to the peers. What
the subscribers report is brought into one normal form, the JSON that Juice itself
writes, so that an event compares equal whichever codec and language it went
through. Next: `bus.py` sends them, `ledger.py` compares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Literal

import cbor2
from orangeqs.juice.fridge.data_structures import TemperaturePoint
from orangeqs.juice.messaging import Event

from peers.juice_events import Reading, Span, event_type

Codec = Literal["json", "cbor"]
Purpose = Literal["probe", "event", "end"]
CODECS: tuple[Codec, ...] = ("json", "cbor")

ROUNDS = 5
# (kind of name, topic, whether a subscriber of `subscriptions` gets it)
TOPICS: tuple[tuple[str, str | None, bool], ...] = (
    ("Filtered", "a.b", True),
    ("Filtered", "a.b.c", True),
    ("Filtered", "a.bb", False),
    ("Filtered", "a.c", False),
    ("Filtered", "a", False),
    ("Filtered", None, False),
    ("All", None, True),
    ("All", "x", True),
    ("All", "größe.λ", True),
)
OFFSET = timezone(timedelta(hours=5, minutes=45))


@dataclass(frozen=True)
class Case:
    """One event that one publisher sends."""

    publisher: str
    codec: Codec
    purpose: Purpose
    wanted: bool
    event: Event

    def line(self) -> str:
        """Return the line that makes a peer publish it."""
        payload_hex = encode(self.event, self.codec).hex()
        return f"{self.event.name()}\t{self.event.topic() or ''}\t{payload_hex}"

    @cached_property
    def normal(self) -> str:
        """The event in normal form."""
        return _normal(self.event)


def subscriptions(codec: Codec) -> list[str]:
    """Return what a subscriber that reads `codec` subscribes to, as peers take it."""
    return [f"lab.{codec}.Filtered:a.b", f"lab.{codec}.All", f"TemperaturePoint:{codec}"]


def cases(publisher: str, codec: Codec) -> list[Case]:
    """Return the events that count, in the order in which they are sent."""
    return [
        Case(publisher, codec, "event", wanted, event)
        for round_number in range(ROUNDS)
        for event, wanted in _events(publisher, codec, round_number)
    ]


def probes(publisher: str, codec: Codec) -> list[Case]:
    """Return one event for each subscription, to see that it is live."""
    events = [
        _reading(publisher, f"lab.{codec}.Filtered", "a.b", -1),
        _reading(publisher, f"lab.{codec}.All", None, -1),
        _temperature(publisher, codec, -1),
    ]
    return [Case(publisher, codec, "probe", True, event) for event in events]


def end(publisher: str, codec: Codec) -> Case:
    """Return the event that is sent last: behind it nothing more can come."""
    return Case(publisher, codec, "end", True, _reading(publisher, f"lab.{codec}.All", None, -2))


def encode(event: Event, codec: Codec) -> bytes:
    """Return the payload of an event."""
    return event.to_msg()[0] if codec == "json" else cbor2.dumps(event.model_dump())


def normal_of_line(line: str) -> str:
    """Return the normal form of the event that a subscriber's line tells of.

    Raises ValueError if the line holds no event.
    """
    name, topic, payload_hex = line.split("\t")
    payload = bytes.fromhex(payload_hex)
    cls = event_type(name)
    if payload.startswith(b"{"):
        event = cls.from_msg([payload])
    else:
        event = cls.model_validate(cbor2.loads(payload))
    if (event.topic() or "") != topic:
        raise ValueError(f"an event of topic {event.topic()!r} came with topic {topic!r}")
    return _normal(event)


def _normal(event: Event) -> str:
    return f"{event.name()} {event.to_msg()[0].decode()}"


def _events(publisher: str, codec: Codec, round_number: int) -> Iterator[tuple[Event, bool]]:
    number = round_number * 100
    for kind, topic, wanted in TOPICS:
        yield _reading(publisher, f"lab.{codec}.{kind}", topic, number), wanted
        number += 1
    yield _temperature(publisher, codec, number), True


def _reading(publisher: str, name: str, channel: str | None, number: int) -> Event:
    cls = event_type(name)
    assert issubclass(cls, Reading)
    return cls(
        time=datetime(2026, 3, 29, 1, 59, 59, 123457, OFFSET) + timedelta(seconds=number),
        channel=channel,
        publisher=publisher,
        number=number,
        value=number / 3,
        note=f"{publisher} misst 4 µK – 温度 🧊",
        span=Span(low=-0.0, high=math.inf, unit="Ω"),
        samples=[0.1, 1e-300, -math.inf, math.nan, 2.0],
        comment=None if number % 2 else "gerade",
    )


def _temperature(publisher: str, codec: Codec, number: int) -> Event:
    return TemperaturePoint(
        time=datetime(2026, 3, 29, 1, 0, tzinfo=timezone.utc),
        service_name=codec,
        component_id=publisher,
        sensor_id=f"T{number}",
        temperature=number / 7,
    )
