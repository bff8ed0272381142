# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# Every event class that Juice ships makes the round trip: from Juice to juicebus
# and back as JSON, and between two of juicebus as CBOR.
from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from orangeqs.juice.messaging import Event
from orangeqs.juice.schemas.task_manager import TaskManagerConnectionInfo

import juicebus
from fleet import ORIGINAL, Ping, until_received
from shipped_events import example, shipped

EVENTS = [example(cls) for cls in shipped()]


def carried(
    make_publisher: Any, make_subscriber: Any, info: TaskManagerConnectionInfo
) -> Iterator[Event]:
    """What arrives of EVENTS, in order."""
    with (
        closing(make_subscriber(f"tcp://{info.ip}:{info.sub_port}")) as subscriber,
        closing(make_publisher(f"tcp://{info.ip}:{info.pub_port}")) as publisher,
    ):
        for event in EVENTS:
            subscriber.subscribe(type(event))
        subscriber.subscribe(Ping)  # The last subscription: when it is live, all are.
        until_received(lambda: publisher.publish(Ping(number=0)), subscriber.get)
        for event in EVENTS:
            publisher.publish(event)
        count = 0
        while count < len(EVENTS):
            event = subscriber.get(10)
            if not isinstance(event, Ping):
                count += 1
                yield event


def test_juice_ships_at_least_the_24_event_classes_known() -> None:
    assert len(EVENTS) >= 24


def test_events_from_juice_arrive_in_juicebus(juice_proxy: TaskManagerConnectionInfo) -> None:
    publisher, subscriber = ORIGINAL["ZMQPublisherBlocking"], juicebus.SubscriberBlocking
    for sent, arrived in zip(EVENTS, carried(publisher, subscriber, juice_proxy), strict=True):
        assert type(arrived) is type(sent)
        assert arrived == type(sent).from_msg(sent.to_msg())


def test_events_from_juicebus_in_json_arrive_in_juice(
    juice_proxy: TaskManagerConnectionInfo,
) -> None:
    def publisher(uri: str) -> juicebus.PublisherBlocking:
        return juicebus.PublisherBlocking(uri, codec="json")

    subscriber = ORIGINAL["ZMQSubscriberBlocking"]
    for sent, arrived in zip(EVENTS, carried(publisher, subscriber, juice_proxy), strict=True):
        assert type(arrived) is type(sent)
        assert arrived == type(sent).from_msg(sent.to_msg())


@pytest.mark.parametrize("codec", ["cbor", "json"])
def test_events_between_two_of_juicebus_are_equal_to_what_was_sent(
    codec: str, proxy: TaskManagerConnectionInfo
) -> None:
    def publisher(uri: str) -> juicebus.PublisherBlocking:
        return juicebus.PublisherBlocking(uri, codec=codec)

    subscriber = juicebus.SubscriberBlocking
    for sent, arrived in zip(EVENTS, carried(publisher, subscriber, proxy), strict=True):
        assert type(arrived) is type(sent)
        # What JSON loses, such as a field with an alias, it loses in Juice too.
        assert arrived == (sent if codec == "cbor" else type(sent).from_msg(sent.to_msg()))
