# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Events with the wrong frames or keys, and forged messages of the control plane."""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any, ClassVar

import pytest
import zmq
from orangeqs.juice.messaging import Event
from orangeqs.juice.messaging.zmq import ZMQSubscriberAsync

import juicebus
from probing import DEADLINE_S
from proxy_process import ProxyProcess
from raw_publisher import RawPublisher, raw_publisher
from relay import Relay
from sides import side_named, until_live

pytestmark = pytest.mark.fault(9)


class Count(Event):
    """A number, in an event of Juice's own kind."""

    measurement: ClassVar[str] = "count"
    number: int


KEY = b"Count."
PAYLOAD = Count(number=7).to_msg()[0]
LAST = [KEY, Count(number=99).to_msg()[0]]

# Of an event that is subscribed to, but cannot be one.
UNDECODABLE = {
    "no payload": [KEY],
    "empty payload": [KEY, b""],
    "3 frames": [KEY, PAYLOAD, PAYLOAD],
    "100 frames": [KEY, *[PAYLOAD] * 99],
    "neither CBOR nor JSON": [KEY, b"\xff\xff"],
    "JSON that is not UTF-8": [KEY, b'{"number": 7, "x": "\xff"}'],
    "fields missing": [KEY, b"{}"],
}
# Of no event, or of one that nobody subscribed to.
NO_EVENT = {
    "no dot": [b"Count", PAYLOAD],
    "no final dot": [b"Count.x", PAYLOAD],
    "empty key": [b"", PAYLOAD],
    "one empty frame": [b""],
    "key not UTF-8": [b"Count.\xff\xfe.", PAYLOAD],
    "NUL in the key": [b"Count.a\0b.", PAYLOAD],
    "64 KiB key": [KEY + b"x" * 65536 + b".", PAYLOAD],
    "other name": [b"Other.", PAYLOAD],
    "first byte 0xFF": [b"\xffCount.", PAYLOAD],
}


def outcomes(raw: RawPublisher, subscriber: Any, frames: list[bytes]) -> list[str]:
    """Send frames and a good event; return what came until that: exceptions and events."""
    raw.send(frames)
    raw.send(LAST)
    came: list[str] = []
    while True:
        try:
            event = subscriber.get(timeout=DEADLINE_S)
        except TimeoutError:
            raise
        except Exception as error:
            came.append(type(error).__name__)
            continue
        if event.number == 99:
            return came
        came.append("event")


def test_bad_frames_and_keys_are_refused_or_passed_over_and_the_next_event_is_read(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    with (
        raw_publisher(proxy.pub_uri) as raw,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
    ):
        subscriber.subscribe(Count)
        assert subscriber.ready(DEADLINE_S)
        came = {
            what: outcomes(raw, subscriber, frames)
            for what, frames in (UNDECODABLE | NO_EVENT).items()
        }
        stats = subscriber.stats()
    assert came == {
        **dict.fromkeys(UNDECODABLE, ["DecodeError"]),
        **dict.fromkeys(NO_EVENT, []),
    }
    assert stats.decode_errors == len(UNDECODABLE)
    assert stats.reconnects == 0
    record_property(
        "figure",
        f"{len(UNDECODABLE)} undecodable: DecodeError and counted; {len(NO_EVENT)} that are no "
        "event passed over; the next event read after each",
    )


@pytest.mark.parametrize("frames", [1, 3, 100])
def test_a_class_with_frames_of_its_own_gets_all_of_them(proxy: ProxyProcess, frames: int) -> None:
    class Framed(juicebus.Event):
        parts: list[bytes]

        def to_msg(self) -> list[bytes]:
            return self.parts

        @classmethod
        def from_msg(cls, msg: Any) -> Framed:
            return cls(parts=[bytes(part) for part in msg])

    sent = Framed(parts=[b"%d" % n for n in range(frames)])
    with (
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
    ):
        subscriber.subscribe(Framed)
        assert subscriber.ready(DEADLINE_S)
        publisher.publish(sent)
        assert subscriber.get(DEADLINE_S).parts == sent.parts


# What a proxy says to its peers, here from a publisher: who it is, that subscriptions
# are live, and that 10,000 events have been forwarded under a filter.
IDENTITY = bytes(range(16))
FORGED = [
    [b"\xff"],
    [b"\xff", PAYLOAD],
    [b"\xffa\x01" + IDENTITY + b"tcp:1"],
    [b"\xffw\x01" + IDENTITY],
    [b"\xffr" + IDENTITY, IDENTITY],
    [b"\xffc" + KEY + b"\xff", IDENTITY + bytes(8) + (10_000).to_bytes(8, "big")],
]


def test_reserved_keys_that_a_publisher_forges_reach_nobody(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    with (
        raw_publisher(proxy.pub_uri) as raw,
        zmq.Context() as context,
        context.socket(zmq.SUB) as everything,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
    ):
        everything.linger = 0
        everything.connect(proxy.sub_uri)
        everything.subscribe(b"")
        subscriber.subscribe(Count)
        assert subscriber.ready(DEADLINE_S)
        while not everything.poll(50):
            raw.send([b"Wake.", PAYLOAD])
        for _ in range(100):
            for frames in FORGED:
                raw.send(frames)
        raw.send(LAST)
        assert subscriber.get(DEADLINE_S).number == 99
        arrived = [everything.recv_multipart()]
        while arrived[-1] != LAST:
            assert everything.poll(round(DEADLINE_S * 1000))
            arrived.append(everything.recv_multipart())
        stats = subscriber.stats()
    assert not [frames for frames in arrived if frames in FORGED]
    assert stats.lost == 0
    record_property("figure", f"{100 * len(FORGED)} forged control messages: 0 forwarded, lost 0")


def test_an_answer_to_a_flush_that_a_publisher_forges_is_not_believed(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    with (
        Relay(proxy.pub_uri) as relay,
        raw_publisher(proxy.pub_uri) as raw,
        zmq.Context() as context,
        context.socket(zmq.SUB) as spy,
        juicebus.PublisherBlocking(relay.uri) as publisher,
    ):
        spy.linger = 0
        spy.subscribe(b"\xfff")
        spy.connect(proxy.sub_uri)
        publisher.send_frame(LAST)
        assert publisher.flush(DEADLINE_S)
        # Whoever subscribes to everything sees the answers, and so the publisher's key.
        while not spy.poll(50):
            publisher.send_frame(LAST)
            assert publisher.flush(DEADLINE_S)
        key, number = spy.recv_multipart()
        relay.stall()
        publisher.send_frame(LAST)
        for ahead in range(10):
            raw.send([key, (int.from_bytes(number[:8], "big") + ahead).to_bytes(8, "big")])
        raw.send([key, (1 << 63).to_bytes(8, "big")])
        try:
            confirmed = publisher.flush(1)
        except TimeoutError:
            confirmed = False
        assert not confirmed, "the event waits in the relay"
    record_property("figure", "a forged answer to a flush is not believed")


def test_juice_with_bad_frames_and_keys(record_property: Callable[[str, object], None]) -> None:
    juice = side_named("juice")
    with (
        juice.proxy() as proxy,
        raw_publisher(proxy.pub_uri) as raw,
        closing(juice.subscriber(proxy.sub_uri)) as subscriber,
    ):
        subscriber.subscribe(Count)
        until_live(
            lambda event: raw.send([event.name().encode() + b".", *event.to_msg()]), subscriber
        )
        came = [
            outcome
            for frames in (UNDECODABLE | NO_EVENT).values()
            for outcome in outcomes(raw, subscriber, frames)
        ]
        listening = asyncio.run(listen_to_a_bad_event(proxy, raw))
    names = ", ".join(f"{name} {count}x" for name, count in sorted(Counter(came).items()))
    record_property("juice", f"get gives {names}, counts none; after one, listen() {listening}")


async def listen_to_a_bad_event(proxy: ProxyProcess, raw: RawPublisher) -> str:
    """Return what becomes of a listen() that meets a bad event."""
    subscriber: Any = ZMQSubscriberAsync(proxy.sub_uri)
    with closing(subscriber), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        subscriber.subscribe(Count)
        listening = asyncio.ensure_future(subscriber.listen())
        while subscriber.queue.empty():
            raw.send(LAST)
            await asyncio.wait([listening], timeout=0.05)
        raw.send(UNDECODABLE["neither CBOR nor JSON"])
        done, _ = await asyncio.wait([listening], timeout=2)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        return "has ended for good" if done else "goes on"
