# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""juicebus as a peer: events by its classes, bytes by frames of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import juicebus
from reading import KEY, NAME, SENSOR, payload_of, reading, reading_class
from stream import NUMBER_OF_PAYLOAD, Receiver, Sender

Reading = reading_class(juicebus.Event)


class Packed:
    """An event that is bytes and stays bytes: no codec has a part in it."""

    def __init__(self, payload: bytes) -> None:
        self.frames = (payload,)

    @staticmethod
    def name() -> str:
        return NAME

    @staticmethod
    def topic() -> str:
        return SENSOR

    def to_msg(self) -> Sequence[bytes]:
        return self.frames

    @staticmethod
    def from_msg(frames: Sequence[bytes]) -> bytes:
        return frames[0]


async def sender(
    twin: str, unit: str, content: str, uri: str
) -> tuple[Sender, Callable[[int], Any]]:
    is_async, is_many = twin == "async", unit == "many"
    publisher: Any = (juicebus.PublisherAsync if is_async else juicebus.PublisherBlocking)(uri)
    if is_many:
        send = publisher.publish_many
    else:
        send = publisher.publish if content == "event" else publisher.send_frame
    if content == "event":
        return Sender(send, is_async, is_many), lambda number: reading(Reading, number)
    if is_many:
        return Sender(send, is_async, is_many), lambda number: Packed(payload_of(number))
    return Sender(send, is_async, is_many), lambda number: (KEY, payload_of(number))


async def receiver(twin: str, unit: str, content: str, uri: str) -> Receiver:
    is_async, is_many = twin == "async", unit == "many"
    subscriber: Any = (juicebus.SubscriberAsync if is_async else juicebus.SubscriberBlocking)(uri)
    subscriber.subscribe(Reading if content == "event" else Packed)
    get = subscriber.get_many if is_many else subscriber.get
    number_of = attrgetter("number") if content == "event" else NUMBER_OF_PAYLOAD
    return Receiver(get, number_of, is_async, is_many)
