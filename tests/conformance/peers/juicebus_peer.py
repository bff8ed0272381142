# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A peer that uses juicebus from Python.

Run as `python -m peers.juicebus_peer blocking|async pub URI` or `… sub URI
name[:topic] …`. It
turns the runner's lines into events and publishes them in the codec that the line
has, or tells the runner of each event that it receives. It also tells whether the proxy
confirmed that the subscriptions are live, and at the end that the events have arrived.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import cbor2

from juicebus import (
    ClosedError,
    PublisherAsync,
    PublisherBlocking,
    SubscriberAsync,
    SubscriberBlocking,
)
from peers.juicebus_events import event_type
from peers.lines import answer, describe, parse, say, stdin_end, stdin_lines, subscriptions

TIMEOUT_S = 60.0


def to_event(line: str) -> tuple[Any, bool]:
    """Return the event that a line from the runner holds, and whether it is JSON."""
    name, payload = parse(line)
    cls = event_type(name)
    if payload.startswith(b"{"):
        return cls.from_msg([payload]), True
    return cls.model_validate(cbor2.loads(payload)), False


def publish_blocking(uri: str) -> None:
    """Publish the runner's lines with the blocking publisher."""
    with (
        PublisherBlocking(uri, codec="json") as json_publisher,
        PublisherBlocking(uri, codec="cbor") as cbor_publisher,
    ):
        say("ready")
        for count, line in enumerate(sys.stdin, 1):
            event, is_json = to_event(line)
            (json_publisher if is_json else cbor_publisher).publish(event)
            say(f"sent {count}")
        flushed = [publisher.flush(TIMEOUT_S) for publisher in (json_publisher, cbor_publisher)]
        say(f"flushed {answer(all(flushed))}")


async def publish_async(uri: str) -> None:
    """Publish the runner's lines with the async publisher."""
    async with (
        PublisherAsync(uri, codec="json") as json_publisher,
        PublisherAsync(uri, codec="cbor") as cbor_publisher,
    ):
        say("ready")
        count = 0
        async for line in stdin_lines():
            event, is_json = to_event(line)
            await (json_publisher if is_json else cbor_publisher).publish(event)
            count += 1
            say(f"sent {count}")
        flushed = [
            await publisher.flush(TIMEOUT_S) for publisher in (json_publisher, cbor_publisher)
        ]
        say(f"flushed {answer(all(flushed))}")


def subscribe_blocking(uri: str, wanted: list[tuple[str, str | None]]) -> None:
    """Tell of received events with the blocking subscriber, until input ends."""
    subscriber = SubscriberBlocking[Any](uri)
    for name, topic in wanted:
        subscriber.subscribe(event_type(name), topic=topic)

    def close_at_input_end() -> None:
        sys.stdin.read()
        subscriber.close()

    threading.Thread(target=close_at_input_end, daemon=True).start()
    say(f"ready {answer(subscriber.ready(TIMEOUT_S))}")
    try:
        while True:
            say(describe(subscriber.get()))
    except ClosedError:
        return


async def subscribe_async(uri: str, wanted: list[tuple[str, str | None]]) -> None:
    """Tell of received events with the async subscriber, until input ends."""
    subscriber = SubscriberAsync[Any](uri)
    for name, topic in wanted:
        subscriber.subscribe(event_type(name), topic=topic)

    async def close_at_input_end() -> None:
        await stdin_end()
        subscriber.close()

    closing = asyncio.create_task(close_at_input_end())
    say(f"ready {answer(await subscriber.ready(TIMEOUT_S))}")
    try:
        while True:
            say(describe(await subscriber.get()))
    except ClosedError:
        await closing


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
            sys.exit("usage: juicebus_peer.py blocking|async pub|sub URI [name[:topic] …]")


if __name__ == "__main__":
    main(*sys.argv[1:])
