# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# The classes that juice.py puts in the place of Juice's: juicebus's own, under
# Juice's names, with Juice's constructors, and derived from Juice's protocols
# as the originals are, so that isinstance says the same. Importing this module
# imports Juice.
"""Juice's ZMQ classes, made of juicebus's."""

from __future__ import annotations

from typing import Any, Generic

from orangeqs.juice.messaging import protocol, zmq
from orangeqs.juice.messaging.protocol import EventType
from typing_extensions import deprecated

from juicebus import aio, blocking
from juicebus._proxy import Proxy

# What publishers write; juice.install() sets it.
codec = "json"


class ZMQSubscriberAsync(
    aio.SubscriberAsync[EventType], protocol.SubscriberAsync[EventType], Generic[EventType]
):
    """`juicebus.SubscriberAsync` in the place of Juice's."""


class ZMQSubscriberBlocking(
    blocking.SubscriberBlocking[EventType], protocol.SubscriberBlocking[EventType]
):
    """`juicebus.SubscriberBlocking` in the place of Juice's."""


class ZMQPublisherAsync(aio.PublisherAsync, protocol.PublisherAsync):
    """`juicebus.PublisherAsync` in the place of Juice's, with the codec of install()."""

    def __init__(self, uri: str, bind: bool = False) -> None:
        """Connect to the proxy's publisher address, or listen there. Does not block."""
        super().__init__(uri, bind=bind, codec=codec)


class ZMQPublisherBlocking(blocking.PublisherBlocking, protocol.PublisherBlocking):
    """`juicebus.PublisherBlocking` in the place of Juice's, with the codec of install()."""

    def __init__(self, uri: str, bind: bool = False) -> None:
        """Connect to the proxy's publisher address, or listen there. Does not block."""
        super().__init__(uri, bind=bind, codec=codec)


@deprecated("ZMQSubscriber is deprecated, use ZMQSubscriberAsync")
class ZMQSubscriber(ZMQSubscriberAsync[EventType]):
    """The earlier name of `ZMQSubscriberAsync`."""


@deprecated("ZMQPublisher is deprecated, use ZMQPublisherAsync")
class ZMQPublisher(ZMQPublisherAsync):
    """The earlier name of `ZMQPublisherAsync`."""


class ZMQProxy(Proxy):
    """`juicebus.Proxy` in the place of Juice's."""


def replacements() -> dict[type[Any], type[Any]]:
    """Return Juice's classes with ours for each; ours that are in place are no key."""
    classes: tuple[type[Any], ...] = (
        ZMQSubscriberAsync,
        ZMQSubscriberBlocking,
        ZMQPublisherAsync,
        ZMQPublisherBlocking,
        ZMQSubscriber,
        ZMQPublisher,
        ZMQProxy,
    )
    pairs = ((getattr(zmq, ours.__name__), ours) for ours in classes)
    return {theirs: ours for theirs, ours in pairs if theirs is not ours}
