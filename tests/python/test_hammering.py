# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Many threads, or many tasks, on one subscriber: nothing lost, nobody left waiting.

A stable subscription to numbered events is counted exactly while everything else on
the same handle changes all the time.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

import juicebus

HAMMER_S = 3.0
DEADLINE_S = 20.0
# How far the publisher may be ahead of the takers: far below every queue's limit,
# so that whatever is missing was lost by a race.
LEAD_EVENTS_MAX = 2000


class Numbered(juicebus.Event):
    """Counted: each must arrive once."""

    measurement: ClassVar[str] = "numbered"
    number: int


class Noise(juicebus.Event):
    """Subscribed to and unsubscribed from all the time."""

    measurement: ClassVar[str] = "noise"


class Taken:
    """The numbers that the takers got. Any thread may add."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.numbers: list[int] = []

    def add(self, events: list[Any]) -> None:
        with self.changed:
            self.numbers += [e.number for e in events if isinstance(e, Numbered)]
            self.changed.notify()

    def wait(self, count: int) -> bool:
        """Wait until there are `count` numbers, return whether there are."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.numbers) >= count, DEADLINE_S)


class Crew:
    """Threads that repeat an action until the subscriber is closed."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def set_to(self, *actions: Callable[[], object]) -> None:
        """Start a thread for each action."""
        for action in actions:
            thread = threading.Thread(target=self._repeat, args=[action], daemon=True)
            thread.start()
            self._threads.append(thread)

    def _repeat(self, action: Callable[[], object]) -> None:
        try:
            while True:
                action()
        except juicebus.ClosedError:
            return
        except BaseException as error:
            self.errors.append(error)

    def has_ended(self) -> bool:
        """Wait for the threads, return whether they have all ended."""
        end = time.monotonic() + DEADLINE_S
        for thread in self._threads:
            thread.join(max(0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)


def hammer(subscriber: juicebus.SubscriberBlocking[Any], taken: Taken) -> Crew:
    """Set two takers of each kind, two subscribing threads and an asking one to it."""

    def get() -> None:
        taken.add([subscriber.get()])

    def get_many() -> None:
        taken.add(subscriber.get_many(50))

    def poll() -> None:
        try:
            taken.add([subscriber.get(0)])
        except TimeoutError:
            return

    def change() -> None:
        topic = random.choice([None, "a", "b.c"])
        subscriber.subscribe(Noise, topic=topic)
        subscriber.unsubscribe(Noise, topic=topic)

    crew = Crew()
    crew.set_to(get, get, get_many, get_many, poll, change, change, subscriber.stats)
    return crew


def test_hammering_threads_lose_no_event(proxy: juicebus.Proxy) -> None:
    subscriber = juicebus.SubscriberBlocking[Any](proxy.sub_uri)
    subscriber.subscribe(Numbered)
    with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
        assert subscriber.ready()
        taken = Taken()
        crew = hammer(subscriber, taken)
        end = time.monotonic() + HAMMER_S
        sent = 0
        while time.monotonic() < end:
            batch: list[Any] = [Numbered(number=n) for n in range(sent, sent + 20)]
            publisher.publish_many([*batch, Noise()])
            sent += len(batch)
            assert taken.wait(sent - LEAD_EVENTS_MAX), crew.errors
        everything_came = taken.wait(sent)
        subscriber.close()
        has_ended = crew.has_ended()
    assert crew.errors == []
    assert everything_came
    assert sorted(taken.numbers) == list(range(sent))
    assert has_ended


def test_close_ends_every_hammering_thread(proxy: juicebus.Proxy) -> None:
    with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
        end = time.monotonic() + HAMMER_S / 3
        while time.monotonic() < end:
            subscriber = juicebus.SubscriberBlocking[Any](proxy.sub_uri)
            subscriber.subscribe(Numbered)
            crew = hammer(subscriber, Taken())
            publisher.publish_many([Numbered(number=n) for n in range(50)])
            closers = [threading.Thread(target=subscriber.close) for _ in range(3)]
            for closer in closers:
                closer.start()
            for closer in closers:
                closer.join(DEADLINE_S)
            assert crew.has_ended()
            assert crew.errors == []
            with pytest.raises(juicebus.ClosedError):
                subscriber.get(0)


async def get_or_give_up(subscriber: juicebus.SubscriberAsync[Any], turns: int) -> list[Any]:
    """Start a get and cancel it after some turns of the loop; return what it gave."""
    getting = asyncio.ensure_future(subscriber.get())
    for _ in range(turns):
        await asyncio.sleep(0)
    getting.cancel()
    try:
        return [await getting]
    except asyncio.CancelledError:
        return []


def test_gets_cancelled_at_any_moment_lose_no_event(proxy: juicebus.Proxy) -> None:
    async def run() -> tuple[list[int], int]:
        numbers: list[int] = []
        sent = 0
        cancelled = 0
        async with juicebus.SubscriberAsync[Any](proxy.sub_uri) as subscriber:
            subscriber.subscribe(Numbered)
            assert await subscriber.ready()
            end = time.monotonic() + HAMMER_S / 2
            while time.monotonic() < end or len(numbers) < sent:
                assert time.monotonic() < end + DEADLINE_S
                if time.monotonic() < end and sent < len(numbers) + LEAD_EVENTS_MAX:
                    publisher.publish(Numbered(number=sent))
                    sent += 1
                got = await get_or_give_up(subscriber, random.randrange(6))
                cancelled += not got
                numbers += [event.number for event in got]
            assert cancelled > 0
        return numbers, sent

    with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
        numbers, sent = asyncio.run(run())
    assert numbers == list(range(sent))


def test_waiting_tasks_are_all_served_though_some_give_up(
    proxy: juicebus.Proxy,
) -> None:
    async def run() -> list[int]:
        async with juicebus.SubscriberAsync[Any](proxy.sub_uri) as subscriber:
            subscriber.subscribe(Numbered)
            assert await subscriber.ready()
            waiting = [asyncio.ensure_future(subscriber.get()) for _ in range(20)]
            await asyncio.sleep(0)
            for task in waiting[::2]:
                task.cancel()
            for number in range(10):
                publisher.publish(Numbered(number=number))
            done, rest = await asyncio.wait(waiting[1::2], timeout=DEADLINE_S)
            assert not rest
            return sorted(task.result().number for task in done)

    with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
        assert asyncio.run(run()) == list(range(10))
