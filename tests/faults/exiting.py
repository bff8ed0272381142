# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A process that ends with everything open: queued events, and waiting threads or tasks.

    python exiting.py juicebus|juice return|sys.exit|SIGTERM|handled SIGTERM|asyncio PUB SUB

It prints a line when all is open, and ends when it is told to by another, or by the signal.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any

import sides
from events import Numbered

NOWHERE = "tcp://127.0.0.1:1"
QUEUED_EVENTS = 100


def say_open() -> None:
    """Say that all is open, and wait until told to go on."""
    print("open", flush=True)
    sys.stdin.readline()


def publish_some(publisher: Any) -> None:
    for number in range(QUEUED_EVENTS):
        publisher.publish(Numbered(number=number))


def open_all(side: sides.Side, pub_uri: str, sub_uri: str) -> list[Any]:
    """Open handles with events on their way and pending, and a thread that waits in a get."""
    publisher, subscriber, idle = (
        side.publisher(pub_uri),
        side.subscriber(sub_uri),
        side.subscriber(NOWHERE),
    )
    subscriber.subscribe(Numbered)
    sides.until_live(publisher.publish, subscriber)
    publish_some(publisher)
    threading.Thread(target=idle.get, daemon=True).start()
    if side is not sides.JUICEBUS:
        return [publisher, subscriber, idle]
    # Juice's own publisher would wait 5 s here, and then drop the events.
    unconnected = side.publisher(NOWHERE)
    publish_some(unconnected)
    return [publisher, unconnected, subscriber, idle]


async def end_a_loop(side: sides.Side, pub_uri: str, sub_uri: str) -> None:
    """Return from a loop in which tasks wait and events are on their way."""
    publisher, subscriber = side.publisher_async(pub_uri), side.subscriber_async(sub_uri)
    subscriber.subscribe(Numbered)
    waiting = [asyncio.ensure_future(subscriber.get()) for _ in range(10)]
    await asyncio.wait(waiting, timeout=0)
    for number in range(QUEUED_EVENTS):
        await publisher.publish(Numbered(number=number))
    say_open()


def main(side_name: str, way: str, *uris: str) -> None:
    """Open everything and end in one way."""
    side = sides.side_named(side_name)
    if way == "asyncio":
        asyncio.run(end_a_loop(side, *uris))
        return
    if way == "handled SIGTERM":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    opened = open_all(side, *uris)
    say_open()
    if way.endswith("SIGTERM"):
        opened[-1].get()
    if way == "sys.exit":
        sys.exit()


if __name__ == "__main__":
    main(*sys.argv[1:])
