# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A peer that uses the real Juice package, over pyzmq.

Run as `python -m peers.juice_peer blocking|async pub URI` or `… sub URI
name[:topic] …`. It
turns the runner's lines into Juice events and publishes them, or tells the runner
of each event that it receives. Events are JSON: Juice knows no other codec.
"""

from __future__ import annotations

import asyncio
import sys
import threading

from orangeqs.juice.messaging import Event
from orangeqs.juice.messaging.zmq import (
    ZMQPublisherAsync,
    ZMQPublisherBlocking,
    ZMQSubscriberAsync,
    ZMQSubscriberBlocking,
)

from peers.juice_events import event_type
from peers.lines import describe, parse, say, stdin_end, stdin_lines, subscriptions


def to_event(line: str) -> Event:
    """Return the event that a line from the runner holds."""
    name, payload = parse(line)
    return event_type(name).from_msg([payload])


def publish_blocking(uri: str) -> None:
    """Publish the runner's lines with the blocking publisher."""
    publisher = ZMQPublisherBlocking(uri)
    say("ready")
    for count, line in enumerate(sys.stdin, 1):
        publisher.publish(to_event(line))
        say(f"sent {count}")
    publisher.close()


async def publish_async(uri: str) -> None:
    """Publish the runner's lines with the async publisher."""
    publisher = ZMQPublisherAsync(uri)
    say("ready")
    count = 0
    async for line in stdin_lines():
        await publisher.publish(to_event(line))
        count += 1
        say(f"sent {count}")
    publisher.close()


def subscribe_blocking(uri: str, wanted: list[tuple[str, str | None]]) -> None:
    """Tell of received events with the blocking subscriber, until input ends."""
    subscriber = ZMQSubscriberBlocking[Event](uri)
    for name, topic in wanted:
        subscriber.subscribe(event_type(name), topic=topic)
    input_ended = threading.Event()

    def read_input() -> None:
        sys.stdin.read()
        input_ended.set()

    threading.Thread(target=read_input, daemon=True).start()
    say("ready")
    # The timeout bounds only how late the end of the input is noticed: this
    # subscriber cannot be woken by another thread.
    while not input_ended.is_set():
        try:
            say(describe(subscriber.get(timeout=0.1)))
        except TimeoutError:
            continue
    subscriber.close()


async def subscribe_async(uri: str, wanted: list[tuple[str, str | None]]) -> None:
    """Tell of received events with the async subscriber, until input ends."""
    subscriber = ZMQSubscriberAsync[Event](uri)
    for name, topic in wanted:
        subscriber.subscribe(event_type(name), topic=topic)

    async def tell() -> None:
        while True:
            say(describe(await subscriber.get()))

    say("ready")
    telling = asyncio.create_task(tell())
    input_end = asyncio.create_task(stdin_end())
    await asyncio.wait([telling, input_end], return_when=asyncio.FIRST_COMPLETED)
    if telling.done():
        telling.result()
    subscriber.close()


def main(twin: str, role: str, uri: str, *names: str) -> None:
    """Run one peer until the runner closes its standard input."""
    match twin, role:
        case "blocking", "pub":
            publish_blocking(uri)
        case "async", "pub":
            asyncio.run(publish_async(uri))
        case "blocking", "sub":
            subscribe_blocking(uri, subscriptions(names))
        case "async", "sub":
            asyncio.run(subscribe_async(uri, subscriptions(names)))
        case _:
            sys.exit("usage: juice_peer.py blocking|async pub|sub URI [name[:topic] …]")


if __name__ == "__main__":
    main(*sys.argv[1:])
