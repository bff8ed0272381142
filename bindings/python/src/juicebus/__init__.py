# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Publish and receive the events of an OrangeQS Juice fleet.

An event is a class with fields. Publishers and subscribers meet at a proxy::

    import juicebus

    class Temperature(juicebus.Event):
        kelvin: float

    with juicebus.PublisherBlocking("tcp://127.0.0.1:5122") as publisher:
        publisher.publish(Temperature(kelvin=4.2))

    with juicebus.SubscriberBlocking("tcp://127.0.0.1:5123") as subscriber:
        subscriber.subscribe(Temperature)
        for event in subscriber:
            print(event.kelvin)

PublisherAsync and SubscriberAsync are the same with await. The events of Juice itself can
be published and subscribed to as they are. Importing this package does not load the
library behind it, libjuicebus.so.1; the first object does.
"""

from __future__ import annotations

from juicebus._errors import (
    AmbiguousNameError,
    ClosedError,
    DecodeError,
    ForkedError,
    InvalidError,
    JuicebusError,
    NotConnectedError,
    SystemFault,
)
from juicebus._event import Event, EventLike, EventType, Message, MessagePart
from juicebus._notices import Notice, NoticeKind
from juicebus._proxy import Proxy
from juicebus._stats import ProxyStats, PublisherStats, SubscriberStats, TopicStats
from juicebus.aio import Publisher, PublisherAsync, Subscriber, SubscriberAsync
from juicebus.blocking import PublisherBlocking, SubscriberBlocking

__all__ = [
    "AmbiguousNameError",
    "ClosedError",
    "DecodeError",
    "Event",
    "EventLike",
    "EventType",
    "ForkedError",
    "InvalidError",
    "JuicebusError",
    "Message",
    "MessagePart",
    "NotConnectedError",
    "Notice",
    "NoticeKind",
    "Proxy",
    "ProxyStats",
    "Publisher",
    "PublisherAsync",
    "PublisherBlocking",
    "PublisherStats",
    "Subscriber",
    "SubscriberAsync",
    "SubscriberBlocking",
    "SubscriberStats",
    "SystemFault",
    "TopicStats",
]
