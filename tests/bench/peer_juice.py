# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Juice's own classes as a peer."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from orangeqs.juice.messaging import Event
from orangeqs.juice.messaging.zmq import (
    ZMQPublisherAsync,
    ZMQPublisherBlocking,
    ZMQSubscriberAsync,
    ZMQSubscriberBlocking,
)

from reading import reading, reading_class
from stream import Receiver, Sender

Reading = reading_class(Event)


async def sender(
    twin: str, unit: str, content: str, uri: str
) -> tuple[Sender, Callable[[int], Any]]:
    is_async = twin == "async"
    publisher: Any = (ZMQPublisherAsync if is_async else ZMQPublisherBlocking)(uri)
    return Sender(publisher.publish, is_async), lambda number: reading(Reading, number)


async def receiver(twin: str, unit: str, content: str, uri: str) -> Receiver:
    is_async = twin == "async"
    subscriber: Any = (ZMQSubscriberAsync if is_async else ZMQSubscriberBlocking)(uri)
    subscriber.subscribe(Reading)
    return Receiver(subscriber.get, attrgetter("number"), is_async)
