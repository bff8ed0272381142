# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""fileno() is readable exactly while an event waits, wherever it waits."""

from __future__ import annotations

import gc
import os
import select
from typing import Any

import pytest

from events import Mistyped, Numbered
from juicebus import DecodeError
from probing import until
from twins import Twin


def is_readable(fd: int, seconds: float = 0) -> bool:
    """Tell whether a descriptor becomes readable within a time."""
    return bool(select.select([fd], [], [], seconds)[0])


def drain(twin: Twin, subscriber: Any) -> int:
    """Take all events that are there, and return how many."""
    count = 0
    while True:
        try:
            twin.run(subscriber.get(0))
        except TimeoutError:
            return count
        count += 1


def test_it_becomes_readable_when_an_event_comes(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    fd = subscriber.fileno()
    drain(twin, subscriber)
    assert not is_readable(fd)
    twin.run(publisher.publish(Numbered(number=1)))
    assert is_readable(fd, 5)


def test_it_stays_readable_until_the_last_event_is_taken(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    fd = subscriber.fileno()
    twin.run(publisher.publish_many([Numbered(number=n) for n in range(200)]))
    for _ in range(200):
        assert is_readable(fd, 5)
        twin.run(subscriber.get(0))
    drain(twin, subscriber)
    assert not is_readable(fd)


def test_it_is_not_readable_after_the_last_event_could_not_be_decoded(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    fd = subscriber.fileno()
    for events in ([Mistyped()], [Numbered(number=1), Mistyped()]):
        twin.run(publisher.publish_many(events))
        with pytest.raises(DecodeError):
            while True:
                twin.run(subscriber.get_many(9, 5))
        drain(twin, subscriber)
        assert not is_readable(fd)


def test_it_is_readable_for_events_taken_before_it_was_asked_for(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.publish_many([Numbered(number=n) for n in range(200)]))
    while not subscriber.stats().pending_events:
        twin.run(subscriber.get(5))
    assert is_readable(subscriber.fileno())


def test_it_is_the_same_each_time(twin: Twin) -> None:
    subscriber = twin.subscriber()
    assert subscriber.fileno() == subscriber.fileno()


def test_close_closes_it(twin: Twin) -> None:
    subscriber = twin.subscriber()
    subscriber.fileno()
    subscriber.close()
    # Its number may be another's by now.
    assert subscriber._watch._epoll.closed


def test_a_dropped_subscriber_leaves_no_descriptor_open(twin: Twin) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    def use() -> None:
        subscriber = twin.subscriber_class(twin.proxy.sub_uri)
        subscriber.fileno()
        with pytest.raises(TimeoutError):
            twin.run(subscriber.get(0.001))

    use()
    before = descriptors()
    for _ in range(20):
        use()
    # The exceptions of the timeouts keep frames, and those the subscribers.
    gc.collect()
    # The library closes its own sockets in the background.
    until(lambda: descriptors() <= before + 10, twin.proxy.stats)
