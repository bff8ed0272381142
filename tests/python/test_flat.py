# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The short way leads to the CBOR that the long way writes, and leaves the rest to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, Literal, Optional

import cbor2
import pytest
from pydantic import ConfigDict, Field, Json, computed_field, field_serializer, model_serializer

import juicebus
from coding import payload_of, there_and_back
from juicebus import _cbor
from juicebus._flat import writer_for

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


class Flat(juicebus.Event):
    measurement: ClassVar[str] = "flat"
    text: str = "x"
    count: int = 0
    value: float = 0.5
    good: bool = True
    note: Optional[str] = None  # noqa: UP045
    kind: Literal["a", "b"] = "a"
    anything: Any = None
    seen: datetime = NOON
    renamed: str = Field("r", alias="other", ge="a")


def long_way(event: juicebus.Event) -> bytes:
    return _cbor.dumps(event.model_dump(mode="python", by_alias=False, round_trip=True))


def takes_the_short_way(event: juicebus.Event) -> bool:
    long = b"the long way"
    return writer_for(type(event), lambda _: long)(event) is not long


@pytest.mark.parametrize(
    "event",
    [
        Flat(),
        Flat(text="", note="", anything="ä" * 200),
        Flat(text="x" * 23, note="x" * 24, anything="x" * 255),
        Flat(text="x" * 256, note="x" * 70_000),
        *(
            Flat(count=n)
            for n in (
                1,
                23,
                24,
                255,
                256,
                65535,
                65536,
                2**32 - 1,
                2**32,
                2**64 - 1,
                -1,
                -24,
                -25,
                -(2**63),
            )
        ),
        *(Flat(value=x) for x in (0.0, -0.0, 1.5, 1e300, 5e-324)),
        Flat(seen=NOON.replace(microsecond=1), good=False, anything=False),
        Flat(seen=NOON.replace(year=1, microsecond=999_999)),
        Flat(seen=datetime(1969, 12, 31, 23, 59, 59, 999_999, timezone.utc)),
        Flat(seen=datetime(9999, 12, 31, 23, 59, 59, 999_999, timezone.utc)),
        Flat.model_validate_json(Flat(time=NOON).model_dump_json(by_alias=True)),
    ],
    ids=str,
)
def test_flat_event_takes_the_short_way_to_the_same_bytes(event: Flat) -> None:
    assert takes_the_short_way(event)
    assert payload_of(event) == long_way(event)
    assert there_and_back(event) == event


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_floats_that_are_no_numbers_arrive_as_such(value: float) -> None:
    event = Flat(value=value)
    assert takes_the_short_way(event)
    assert repr(cbor2.loads(payload_of(event))["value"]) == repr(value)
    assert repr(there_and_back(event).value) == repr(value)


class Colour(str, Enum):
    RED = "red"


class Text(str):
    pass


class WithList(Flat):
    several: list[int] = [1, 2]


class WithFieldSerializer(Flat):
    @field_serializer("text")
    def _shout(self, value: str) -> str:
        return value.upper()


class WithModelSerializer(Flat):
    @model_serializer
    def _only(self) -> dict[str, Any]:
        return {"only": 1}


class WithHidden(Flat):
    hidden: str = Field("h", exclude=True)


class WithJson(Flat):
    raw: Json[str] = "x"


class WithDump(Flat):
    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"own": 1}


class WithExtra(Flat):
    model_config = ConfigDict(extra="allow")


class WithBytes(Flat):
    raw: bytes = b"\xff"


class WithCached(Flat):
    @cached_property
    def twice(self) -> int:
        return 2 * self.count


def with_cached() -> Flat:
    event = WithCached()
    assert event.twice == 0
    return event


def without_text() -> Flat:
    event = Flat()
    del event.__dict__["text"]
    return event


@pytest.mark.parametrize(
    "make",
    [
        WithList,
        WithFieldSerializer,
        WithModelSerializer,
        WithHidden,
        WithJson,
        WithDump,
        lambda: WithExtra(more=1),  # type: ignore[call-arg]
        WithBytes,
        lambda: Flat(anything=[1]),
        lambda: Flat(anything=Colour.RED),
        lambda: Flat(anything=Flat()),
        lambda: Flat(anything=Text("x")),
        lambda: Flat(count=2**64),
        lambda: Flat(count=-(2**63) - 1),
        lambda: Flat(seen=NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))),
        lambda: Flat(seen=NOON.astimezone(timezone(timedelta(seconds=61)))),
        lambda: Flat(seen=NOON.replace(tzinfo=None)),
        with_cached,
        without_text,
    ],
    ids=str,
)
def test_event_that_is_not_flat_takes_the_long_way(make: Callable[[], juicebus.Event]) -> None:
    event = make()
    assert not takes_the_short_way(event)
    assert payload_of(event) == long_way(event)


def test_what_the_class_computes_is_left_out_on_both_ways() -> None:
    class Computing(Flat):
        @computed_field  # type: ignore[prop-decorator]
        @property
        def twice(self) -> int:
            return 2

    assert takes_the_short_way(Computing())
    event = Computing()
    assert payload_of(event) == long_way(event)


def test_class_that_validates_its_events_is_still_flat() -> None:
    from pydantic import field_validator, model_validator

    class Validating(Flat):
        @field_validator("text")
        @classmethod
        def _strip(cls, value: str) -> str:
            return value.strip()

        @model_validator(mode="after")
        def _whole(self) -> Validating:
            return self

    event = Validating(text=" x ")
    assert takes_the_short_way(event)
    assert payload_of(event) == long_way(event)
