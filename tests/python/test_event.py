# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Event has the contract that Juice's services know."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from typing import Annotated, ClassVar

import pytest

import juicebus


class Reading(juicebus.Event):
    """An event as services write them."""

    measurement: ClassVar[str] = "reading"
    sensor: Annotated[str, "tag"] = "4K"
    value: float = 1.5


def test_the_name_is_the_name_of_the_class() -> None:
    assert Reading.name() == "Reading"


def test_there_is_no_topic_by_default() -> None:
    assert Reading().topic() is None


def test_the_time_is_now_in_utc_by_default() -> None:
    time = Reading().time
    assert time.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - time) < timedelta(seconds=5)


def test_the_measurement_is_no_field() -> None:
    assert Reading.measurement == "reading"
    assert set(Reading.model_fields) == {"time", "sensor", "value"}


def test_a_tag_can_be_told_from_a_field() -> None:
    assert "tag" in Reading.model_fields["sensor"].metadata
    assert "tag" not in Reading.model_fields["value"].metadata


def test_to_msg_is_one_frame_of_json() -> None:
    (frame,) = Reading().to_msg()
    assert json.loads(frame).keys() == {"time", "sensor", "value"}


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_what_json_has_no_number_for_is_a_text(value: float, text: str) -> None:
    (frame,) = Reading(value=value).to_msg()
    assert json.loads(frame)["value"] == text
    assert str(Reading.from_msg([frame]).value) == str(value)


def test_from_msg_returns_what_to_msg_was_called_on() -> None:
    event = Reading(sensor="1K", value=0.1)
    assert Reading.from_msg(event.to_msg()) == event


@pytest.mark.parametrize("frames", [[], [b"{}", b"{}"]])
def test_from_msg_refuses_another_number_of_frames(frames: list[bytes]) -> None:
    with pytest.raises(ValueError, match="1 payload frame expected"):
        Reading.from_msg(frames)


def test_parts_nest() -> None:
    class Position(juicebus.MessagePart):
        x: int

    class Move(juicebus.Event):
        a: Position

    event = Move(a=Position(x=1))
    assert Move.from_msg(event.to_msg()) == event
