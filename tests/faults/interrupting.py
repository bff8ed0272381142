# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A process that gets Ctrl-C in each of its waiting calls.

    python interrupting.py juicebus|juice SUB_URI

Prints in JSON, for each call, the seconds from the signal to its KeyboardInterrupt; null
where the call ended in another way.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import juicebus
import sides
from events import Numbered

# Time for a call to begin to wait; an earlier signal interrupts it too.
BEFORE_SIGNAL_S = 0.3
# A get waits in the library for what comes so often.
EVENT_EVERY_S = 0.09
NOWHERE = "tcp://127.0.0.1:1"

Calls = dict[str, Callable[[], Any]]


def seconds_to_interrupt(call: Callable[[], Any]) -> float | None:
    """Make a call, send this process SIGINT meanwhile, and return how soon it was over."""
    sent_at = 0.0

    def send() -> None:
        nonlocal sent_at
        sent_at = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(BEFORE_SIGNAL_S, send)
    timer.start()
    try:
        call()
    except KeyboardInterrupt:
        return time.monotonic() - sent_at
    except Exception:
        pass
    timer.cancel()
    return None


def in_a_loop(call: Callable[[], Coroutine[Any, Any, Any]]) -> Callable[[], Any]:
    """Return a call that runs a coroutine, made inside the loop, in a loop of its own."""

    async def run() -> None:
        await call()

    return lambda: asyncio.run(run())


def iterate_over_events() -> None:
    """Receive events that come now and then, for ever."""
    over = threading.Event()
    with (
        juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", hold=0) as proxy,
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
    ):

        def publish() -> None:
            while not over.wait(EVENT_EVERY_S):
                publisher.publish(Numbered(number=1))

        subscriber.subscribe(Numbered)
        publishing = threading.Thread(target=publish)
        publishing.start()
        try:
            for _ in subscriber:
                pass
        finally:
            over.set()
            publishing.join()


def juicebus_calls(sub_uri: str) -> Calls:
    """Return the waiting calls of juicebus's classes."""
    subscriber = juicebus.SubscriberBlocking[Any](sub_uri)
    alone = juicebus.SubscriberBlocking[Any](NOWHERE)
    publisher = juicebus.PublisherBlocking(NOWHERE, max_events=1)
    publisher.publish(Numbered(number=1))
    for each in (subscriber, alone):
        each.subscribe(Numbered)
    return {
        "get": subscriber.get,
        "get_many": lambda: subscriber.get_many(10),
        "for": lambda: list(subscriber),
        "for, events come": iterate_over_events,
        "ready": lambda: alone.ready(None),
        "publish": lambda: publisher.publish(Numbered(number=2), None),
        "publish_many": lambda: publisher.publish_many([Numbered(number=2)] * 2, None),
        "flush": lambda: publisher.flush(None),
        "wait_connected": lambda: publisher.wait_connected(None),
        "close": lambda: publisher.close(3),
        "async get": in_a_loop(lambda: juicebus.SubscriberAsync[Any](sub_uri).get()),
        "async ready": in_a_loop(lambda: juicebus.SubscriberAsync[Any](NOWHERE).ready(None)),
        "async wait_connected": in_a_loop(
            lambda: juicebus.PublisherAsync(NOWHERE).wait_connected(None)
        ),
    }


def juice_calls(sub_uri: str) -> Calls:
    """Return the waiting calls of Juice's classes."""
    juice = sides.side_named("juice")
    subscriber, publisher = juice.subscriber(sub_uri), juice.publisher(NOWHERE)
    return {
        "get": subscriber.get,
        "publish": lambda: publisher.publish(Numbered(number=1)),
        "async get": in_a_loop(lambda: juice.subscriber_async(sub_uri).get()),
        "async publish": in_a_loop(
            lambda: juice.publisher_async(NOWHERE).publish(Numbered(number=1))
        ),
    }


def main(side_name: str, sub_uri: str) -> None:
    """Interrupt each call, one after the other."""
    calls = juicebus_calls(sub_uri) if side_name == "juicebus" else juice_calls(sub_uri)
    print(json.dumps({name: seconds_to_interrupt(call) for name, call in calls.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
