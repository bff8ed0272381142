# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The shared vectors through every way into and out of the Python package.

Raw frames are seen by a plain ZeroMQ socket in the proxy's place, so that the key on
the wire is compared, not what the package makes of it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from typing import Any, ClassVar

import pytest
import zmq

import juicebus
from juicebus._errors import Status, error_for
from vectors import Vector, bytes_of, load, text_of

TIMEOUT_S = 10.0
# The event that comes behind those of a vector; no vector has this name.
LAST_NAME = "\U0010ffff"


class Carrier(juicebus.Event):
    """An event that has the name and the topic of a vector."""

    measurement: ClassVar[str] = "vector"
    wire_name: ClassVar[str] = LAST_NAME
    wire_topic: str | None = None
    number: int = -1

    @classmethod
    def name(cls) -> str:
        return cls.wire_name

    def topic(self) -> str | None:
        return self.wire_topic


@cache
def carrier(name: str) -> type[Carrier]:
    """Return the event type of a name."""
    return type("Named", (Carrier,), {"wire_name": name, "__module__": __name__})


def publish(uri: str, event: Carrier) -> None:
    with juicebus.PublisherBlocking(uri) as publisher:
        publisher.publish(event, TIMEOUT_S)


def publish_many(uri: str, event: Carrier) -> None:
    with juicebus.PublisherBlocking(uri) as publisher:
        publisher.publish_many([event], TIMEOUT_S)


def publish_async(uri: str, event: Carrier) -> None:
    async def run() -> None:
        async with juicebus.PublisherAsync(uri) as publisher:
            await publisher.publish(event, TIMEOUT_S)

    asyncio.run(run())


def publish_many_async(uri: str, event: Carrier) -> None:
    async def run() -> None:
        async with juicebus.PublisherAsync(uri) as publisher:
            await publisher.publish_many([event], TIMEOUT_S)

    asyncio.run(run())


PUBLISH_WAYS = [publish, publish_many, publish_async, publish_many_async]


class Wire:
    """Takes everything, where a publisher expects the proxy."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._frames: queue.Queue[list[bytes]] = queue.Queue()
        self._uri: queue.Queue[str] = queue.Queue()
        # A socket sends its subscriptions only inside calls (libzmq#2267), so one
        # thread is in it all the time.
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.uri = self._uri.get()

    def _run(self) -> None:
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.linger = 0
            socket.subscribe(b"")
            socket.bind("tcp://127.0.0.1:*")
            self._uri.put(socket.getsockopt_string(zmq.LAST_ENDPOINT))
            while not self._stop.is_set():
                if socket.poll(50):
                    self._frames.put(socket.recv_multipart())

    def frames(self) -> list[bytes]:
        """Return the next message as it is on the wire."""
        return self._frames.get(timeout=TIMEOUT_S)

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with closing(Wire()) as wire:
        yield wire


@pytest.mark.parametrize("send", PUBLISH_WAYS)
@pytest.mark.parametrize("vector", load("keys"), ids=lambda v: v["id"])
def test_publishing_writes_the_vectors_key_or_refuses_the_name(
    vector: Vector, send: Callable[[str, Carrier], None], wire: Wire
) -> None:
    name, topic = text_of(vector, "name"), text_of(vector, "topic")
    assert name is not None
    event = carrier(name).model_construct(wire_topic=topic)
    if "status" in vector:
        with pytest.raises(juicebus.InvalidError):
            send(wire.uri, event)
        return
    send(wire.uri, event)
    assert wire.frames()[0] == bytes_of(vector["key_hex"])


@pytest.mark.parametrize("twin", [juicebus.SubscriberBlocking, juicebus.SubscriberAsync])
@pytest.mark.parametrize("vector", load("keys"), ids=lambda v: v["id"])
def test_subscribing_takes_and_refuses_the_same_names_as_publishing(
    vector: Vector, twin: Any
) -> None:
    name, topic = text_of(vector, "name"), text_of(vector, "topic")
    assert name is not None
    with closing(twin("tcp://127.0.0.1:1")) as subscriber:
        if "status" in vector:
            with pytest.raises(juicebus.InvalidError):
                subscriber.subscribe(carrier(name), topic=topic)
        else:
            subscriber.subscribe(carrier(name), topic=topic)


@pytest.mark.parametrize(
    "vector", [v for v in load("keys") if "key_hex" in v], ids=lambda v: v["id"]
)
def test_send_frame_writes_the_key_as_it_is(vector: Vector, wire: Wire) -> None:
    frames = [bytes_of(vector["key_hex"]), b"{}", b"\xff"]
    with juicebus.PublisherBlocking(wire.uri) as publisher:
        publisher.send_frame(frames)
    assert wire.frames() == frames


def subscribe(subscriber: Any, vector: Vector) -> None:
    """Do what a filter vector says, and see that it has the status it says."""
    for wanted in vector["subscribe"]:
        cls = carrier(wanted["name"])
        if wanted["status"] == "OK":
            subscriber.subscribe(cls, topic=wanted["topic"])
        else:
            with pytest.raises(type(error_for(Status[wanted["status"]], ""))):
                subscriber.subscribe(cls, topic=wanted["topic"])
    subscriber.subscribe(Carrier)


def by_get(subscriber: juicebus.SubscriberBlocking[Any]) -> Iterator[Any]:
    while True:
        yield subscriber.get(TIMEOUT_S)


def by_get_many(subscriber: juicebus.SubscriberBlocking[Any]) -> Iterator[Any]:
    while True:
        yield from subscriber.get_many(16, TIMEOUT_S)


def by_iteration(subscriber: juicebus.SubscriberBlocking[Any]) -> Iterator[Any]:
    yield from subscriber


def send_events(publisher: juicebus.PublisherBlocking, vector: Vector) -> None:
    """Publish a filter vector's events, numbered, and one that ends them."""
    for number, event in enumerate(vector["events"]):
        publisher.publish(carrier(event["name"])(wire_topic=event["topic"], number=number))
    publisher.publish(Carrier(number=len(vector["events"])))


def expected(vector: Vector) -> list[tuple[int, str]]:
    return [
        (number, event["received"]["name"])
        for number, event in enumerate(vector["events"])
        if event["received"] is not None
    ]


@pytest.mark.parametrize("take", [by_get, by_get_many, by_iteration])
@pytest.mark.parametrize("vector", load("filters"), ids=lambda v: v["id"])
def test_a_blocking_subscriber_receives_what_the_filter_says(
    vector: Vector, take: Callable[..., Iterator[Any]], proxy: juicebus.Proxy
) -> None:
    with (
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
    ):
        subscribe(subscriber, vector)
        assert subscriber.ready()
        send_events(publisher, vector)
        received = []
        for event in take(subscriber):
            if event.number == len(vector["events"]):
                break
            received.append((event.number, event.name()))
    assert received == expected(vector)


@pytest.mark.parametrize("vector", load("filters"), ids=lambda v: v["id"])
def test_an_async_subscriber_receives_what_the_filter_says(
    vector: Vector, proxy: juicebus.Proxy
) -> None:
    async def run() -> list[tuple[int, str]]:
        async with juicebus.SubscriberAsync[Any](proxy.sub_uri) as subscriber:
            subscribe(subscriber, vector)
            assert await subscriber.ready()
            send_events(publisher, vector)
            received = []
            async for event in subscriber:
                if event.number == len(vector["events"]):
                    break
                received.append((event.number, event.name()))
            return received

    with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
        assert asyncio.run(run()) == expected(vector)
