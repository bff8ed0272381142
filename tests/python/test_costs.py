# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What an event costs on any machine: crossings into the library, calls of Python, threads.

Time is the benchmark's business; these counts make most of it, and do not vary.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import juicebus
from events import Temperature
from probing import DEADLINE_S
from twins import Twin

EVENTS = 200


class Counted:
    """A function, and how often it has been called."""

    def __init__(self, function: Callable[..., int]) -> None:
        self.calls = 0
        self._function = function

    def __call__(self, *arguments: Any) -> int:
        self.calls += 1
        return self._function(*arguments)


def python_calls(action: Callable[[], object]) -> int:
    """Return how many functions written in Python an action calls, the least of some runs."""
    counts = []
    for _ in range(5):
        calls = 0

        def count(frame: Any, kind: str, argument: Any) -> None:
            nonlocal calls
            calls += kind == "call"

        sys.setprofile(count)
        try:
            action()
        finally:
            sys.setprofile(None)
        counts.append(calls)
    return min(counts)


def test_an_event_that_is_waited_for_costs_one_crossing(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Temperature)
    subscriber._get_many = counted = Counted(subscriber._get_many)
    for _ in range(EVENTS):
        twin.run(publisher.publish(Temperature()))
        twin.run(subscriber.get(DEADLINE_S))
    # What is no event can wake it too, now and then.
    assert counted.calls <= 1.1 * EVENTS


def test_events_that_wait_are_taken_many_in_a_crossing(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Temperature)
    subscriber._get_many = counted = Counted(subscriber._get_many)
    for _ in range(10):
        twin.run(publisher.publish_many([Temperature() for _ in range(EVENTS)]))
        for _ in range(EVENTS):
            twin.run(subscriber.get(DEADLINE_S))
    assert counted.calls <= 10 * EVENTS / 4


def test_a_publish_is_one_crossing_and_so_are_many(twin: Twin) -> None:
    publisher, _ = twin.connected()
    publisher._publish_one = one = Counted(publisher._publish_one)
    publisher._publish_packed = many = Counted(publisher._publish_packed)
    for _ in range(EVENTS):
        twin.run(publisher.publish(Temperature()))
    twin.run(publisher.publish_many([Temperature() for _ in range(EVENTS)]))
    assert (one.calls, many.calls) == (EVENTS, 1)


def test_a_get_of_what_is_there_is_few_calls(proxy: juicebus.Proxy) -> None:
    with Twin("blocking", proxy) as twin:
        publisher, subscriber = twin.connected(Temperature)
        publisher.publish_many([Temperature() for _ in range(EVENTS)])
        assert python_calls(lambda: subscriber.get()) <= 5


def test_a_publish_of_a_flat_event_is_few_calls(proxy: juicebus.Proxy) -> None:
    with Twin("blocking", proxy) as twin:
        publisher, _ = twin.connected()
        event = Temperature(place="here")
        assert python_calls(lambda: publisher.publish(event)) <= 5


def test_handles_need_no_thread_each(proxy: juicebus.Proxy) -> None:
    with Twin("blocking", proxy) as twin:
        twin.connected()
        before = len(list(Path("/proc/self/task").iterdir()))
        for _ in range(20):
            twin.connected()
        assert len(list(Path("/proc/self/task").iterdir())) < before + 20
