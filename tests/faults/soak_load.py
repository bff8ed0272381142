# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A service under mixed load, round after round, until its standard input ends.

    python soak_load.py PUB_URI SUB_URI FLAKY_PUB_URI FLAKY_SUB_URI

The proxy at the first two addresses stays, the one at the others comes and goes. At a line
on its standard input it rests until the next one: connected to both, it prints a line. Ends
with an exception if an event is lost that must not be.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from typing import Any

import juicebus
from events import Numbered, Temperature
from probing import DEADLINE_S
from stream import Reading, place

SMALL_EVENTS = 300
LARGE_BYTES = 200_000
TOPICS = 100
# The Go runtime keeps as many threads as it ever needed at one time, and each proxy needs
# one: those that are opened at first leave enough for whatever comes later.
PROXIES_AT_FIRST = 8
# The sleeper's ring is full after a few rounds, and it wakes now and then.
SLEEPER_BYTES = 1 << 20
WAKES_EVERY_ROUNDS = 50


class Load:
    """The handles that stay open, and what one round does with them and others."""

    def __init__(self, pub_uri: str, sub_uri: str, flaky_pub_uri: str, flaky_sub_uri: str) -> None:
        self._uris = (pub_uri, sub_uri)
        self._publisher = juicebus.PublisherBlocking(pub_uri)
        self._subscriber = juicebus.SubscriberBlocking[Any](sub_uri)
        self._sleeper = juicebus.SubscriberBlocking[Any](sub_uri, max_bytes=SLEEPER_BYTES)
        self._flaky_publisher = juicebus.PublisherBlocking(flaky_pub_uri, overflow="drop_oldest")
        self._flaky_subscriber = juicebus.SubscriberBlocking[Any](flaky_sub_uri)
        for subscriber in (self._subscriber, self._sleeper, self._flaky_subscriber):
            subscriber.subscribe(Numbered)
            subscriber.subscribe(Reading)
        assert self._subscriber.ready(DEADLINE_S)
        self._round = 0

    def run_round(self) -> None:
        """Do one round of everything."""
        self._exchange()
        self._churn()
        asyncio.run(self._exchange_async())
        use_own_proxies(1)
        self._use_what_comes_and_goes()
        # In the first round too: what a get needs is opened then.
        if self._round % WAKES_EVERY_ROUNDS == 0:
            drain(self._sleeper)
        self._round += 1

    def rest(self) -> None:
        """Wait until everything that stays open is connected."""
        self._flaky_publisher.wait_connected(DEADLINE_S)
        assert self._flaky_subscriber.ready(DEADLINE_S)

    def _exchange(self) -> None:
        """Publish small and large events, and get every one."""
        events: list[Any] = [Numbered(number=n) for n in range(SMALL_EVENTS)]
        events.append(Reading(number=0, place="a", filling="x" * LARGE_BYTES))
        self._publisher.publish_many(events)
        self._publisher.send_frame([b"Numbered.", b"neither CBOR nor JSON"])
        assert self._publisher.flush(DEADLINE_S), self._publisher.stats()
        came = 0
        try:
            while came < len(events):
                came += len(self._subscriber.get_many(1000, DEADLINE_S))
        except TimeoutError as exc:
            stats = (self._subscriber.stats(), self._publisher.stats())
            raise AssertionError(f"{came} of {len(events)} came: {stats}") from exc
        with contextlib.suppress(juicebus.DecodeError):
            self._subscriber.get(DEADLINE_S)
            raise AssertionError("a bad payload is an event")

    def _churn(self) -> None:
        """Open, use and close handles with many topics."""
        pub_uri, sub_uri = self._uris
        with (
            juicebus.PublisherBlocking(pub_uri) as publisher,
            juicebus.SubscriberBlocking[Any](sub_uri) as subscriber,
        ):
            for number in range(TOPICS):
                subscriber.subscribe(Temperature, topic=place(number, TOPICS))
            assert subscriber.ready(DEADLINE_S)
            publisher.publish(Temperature(place=place(TOPICS - 1, TOPICS)))
            subscriber.get(DEADLINE_S)
            for number in range(TOPICS):
                subscriber.unsubscribe(Temperature, topic=place(number, TOPICS))

    async def _exchange_async(self) -> None:
        """Do the same with the async twins; a cancelled get is part of it."""
        pub_uri, sub_uri = self._uris
        async with (
            juicebus.PublisherAsync(pub_uri) as publisher,
            juicebus.SubscriberAsync[Any](sub_uri) as subscriber,
        ):
            subscriber.subscribe(Temperature)
            assert await subscriber.ready(DEADLINE_S)
            waiting = asyncio.ensure_future(subscriber.get())
            await asyncio.sleep(0)
            waiting.cancel()
            await publisher.publish(Temperature())
            await subscriber.get(DEADLINE_S)

    def _use_what_comes_and_goes(self) -> None:
        """Publish to the flaky proxy whether it is there or not, and take what came."""
        self._flaky_publisher.publish_many([Numbered(number=n) for n in range(SMALL_EVENTS)])
        with contextlib.suppress(TimeoutError):
            self._flaky_publisher.flush(0.2)
        drain(self._flaky_subscriber)


def use_own_proxies(count: int) -> None:
    """Run proxies in this process, all at a time, until each has been found."""
    with contextlib.ExitStack() as stack:
        proxies = [
            stack.enter_context(juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", hold=0))
            for _ in range(count)
        ]
        for proxy in proxies:
            with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
                publisher.wait_connected(DEADLINE_S)


def drain(subscriber: juicebus.SubscriberBlocking[Any]) -> None:
    """Take what is there."""
    with contextlib.suppress(TimeoutError):
        while True:
            with contextlib.suppress(juicebus.DecodeError):
                subscriber.get_many(1000, 0)


def main(*uris: str) -> None:
    """Run rounds until standard input ends."""
    use_own_proxies(PROXIES_AT_FIRST)
    load = Load(*uris)
    while True:
        if select.select([sys.stdin], [], [], 0.05)[0]:
            if not sys.stdin.readline():
                return
            load.rest()
            print("resting", flush=True)
            sys.stdin.readline()
        load.run_round()


if __name__ == "__main__":
    main(*sys.argv[1:])
