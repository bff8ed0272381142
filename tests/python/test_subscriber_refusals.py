# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What both subscribers refuse, and what they say."""

from __future__ import annotations

import math
from typing import Any

import pytest

import juicebus
from events import Mistyped, Numbered
from twins import Twin


@pytest.mark.parametrize("timeout", [-1, -0.001, math.nan, "1", [], 1j])
def test_a_timeout_that_is_none_is_refused(twin: Twin, timeout: Any) -> None:
    subscriber = twin.subscriber()
    for call in (subscriber.get, lambda t: subscriber.get_many(1, t), subscriber.ready):
        with pytest.raises(ValueError, match="timeout"):
            twin.run(call(timeout))


@pytest.mark.parametrize("max_events", [0, -1, 1.5, "1", None])
def test_get_many_refuses_a_count_that_is_none(twin: Twin, max_events: Any) -> None:
    with pytest.raises(ValueError, match="get_many"):
        twin.run(twin.subscriber().get_many(max_events, 0))


def test_the_last_unsubscribe_frees_the_name(twin: Twin) -> None:
    subscriber = twin.subscriber()
    subscriber.subscribe(Numbered, topic="a")
    subscriber.subscribe(Numbered, topic="a")
    subscriber.subscribe(Numbered, topic="b")
    subscriber.unsubscribe(Numbered, topic="a")
    with pytest.raises(juicebus.AmbiguousNameError):
        subscriber.subscribe(Mistyped)
    subscriber.unsubscribe(Numbered, topic="b")
    subscriber.subscribe(Mistyped)


class Dotted(juicebus.Event):
    """Its key begins as those of Numbered do."""

    @classmethod
    def name(cls) -> str:
        return "Numbered.more"


@pytest.mark.parametrize(("first", "second"), [(Numbered, Dotted), (Dotted, Numbered)])
def test_types_that_cannot_be_told_apart_are_refused_by_name(
    twin: Twin, first: Any, second: Any
) -> None:
    publisher, subscriber = twin.connected(first)
    with pytest.raises(RuntimeError, match=r"Numbered.*Numbered") as caught:
        subscriber.subscribe(second)
    assert isinstance(caught.value, juicebus.AmbiguousNameError)
    assert {"Dotted", "Numbered"} <= set(str(caught.value).replace(".", " ").split())
    event = Numbered(number=1) if first is Numbered else Dotted()
    twin.run(publisher.publish(event))
    assert twin.run(subscriber.get(5)) == event


@pytest.mark.parametrize("event_type", ["Numbered", Numbered(number=1), int, object, None])
def test_what_is_no_event_type_is_refused_by_name(twin: Twin, event_type: Any) -> None:
    with pytest.raises(TypeError, match="event type"):
        twin.subscriber().subscribe(event_type)


@pytest.mark.parametrize("topic", ["a\0b", "\ud800", "x" * 1100])
def test_a_topic_that_cannot_be_a_key_is_refused(twin: Twin, topic: str) -> None:
    subscriber = twin.subscriber()
    with pytest.raises(ValueError):
        subscriber.subscribe(Numbered, topic=topic)
    subscriber.subscribe(Mistyped)


def test_a_closed_subscriber_says_so(twin: Twin) -> None:
    subscriber = twin.subscriber()
    subscriber.close()
    subscriber.close()
    for call in (
        lambda: subscriber.get(0),
        lambda: subscriber.get_many(1, 0),
        lambda: subscriber.ready(0),
        lambda: subscriber.subscribe(Numbered),
        lambda: subscriber.unsubscribe(Numbered),
        subscriber.stats,
        subscriber.fileno,
    ):
        with pytest.raises(juicebus.ClosedError, match="closed"):
            twin.run(call())


@pytest.mark.parametrize("uri", ["", "nonsense", "tcp://127.0.0.1", "http://127.0.0.1:1", "a\0b"])
def test_a_malformed_uri_is_refused(twin: Twin, uri: str) -> None:
    for opened in (twin.subscriber_class, twin.publisher_class):
        with pytest.raises(juicebus.InvalidError):
            opened(uri)


OUT_OF_RANGE: list[tuple[str, Any]] = [
    (option, value)
    for option in ("max_events", "max_bytes", "max_event_bytes")
    for value in (-1, 1.5, "1", 2**63, 2**64 + 1)
]
OUT_OF_RANGE += [("max_bytes", 0), ("max_event_bytes", 0)]
OUT_OF_RANGE += [("heartbeat", value) for value in (-0.1, math.nan, math.inf, "1", 1801, 2**64)]
OUT_OF_RANGE += [("overflow", value) for value in ("", "drop", None, 1)]


@pytest.mark.parametrize(("option", "value"), OUT_OF_RANGE)
def test_an_option_out_of_range_is_refused_by_name(twin: Twin, option: str, value: Any) -> None:
    for opened in (twin.subscriber_class, twin.publisher_class):
        with pytest.raises(juicebus.InvalidError, match="(?i)" + option.replace("_", ".")):
            opened("tcp://127.0.0.1:1", **{option: value})


@pytest.mark.parametrize("option", [{"max_events": 0}, {"overflow": "block"}])
def test_a_subscriber_cannot_do_without_a_queue_nor_block(twin: Twin, option: Any) -> None:
    with pytest.raises(juicebus.InvalidError, match="max events|overflow"):
        twin.subscriber_class("tcp://127.0.0.1:1", **option)


@pytest.mark.parametrize("heartbeat", [0, None, 0.0001, 1800])
def test_a_heartbeat_may_be_none_short_or_long(twin: Twin, heartbeat: Any) -> None:
    for opened in (twin.subscriber_class, twin.publisher_class):
        opened("tcp://127.0.0.1:1", heartbeat=heartbeat).close()
