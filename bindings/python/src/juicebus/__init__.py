# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Publish and receive the events of an OrangeQS Juice fleet.

An event is a class with fields. Publishers and subscribers meet at a proxy::

    import juicebus

    class Temperature(juicebus.Event):
        kelvin: float

    with juicebus.SubscriberBlocking("tcp://127.0.0.1:5123") as subscriber:
        subscriber.subscribe(Temperature)
        subscriber.ready()
        for event in subscriber:
            print(event.kelvin)

and, in another process::

    with juicebus.PublisherBlocking("tcp://127.0.0.1:5122") as publisher:
        publisher.publish(Temperature(kelvin=4.2))

PublisherAsync and SubscriberAsync are the same with await. The events of Juice itself can
be published and subscribed to as they are. Importing this package loads neither the
library behind it, libjuicebus.so.1 (at JUICEBUS_LIBRARY, else in the wheel), which the
first object does, nor asyncio, which the first use of a name that needs it does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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
from juicebus.blocking import PublisherBlocking, SubscriberBlocking

if TYPE_CHECKING:
    from juicebus._notices import Notice, NoticeKind
    from juicebus._proxy import Proxy
    from juicebus._proxy_stats import ProxyStats, TopicStats
    from juicebus._stats import PublisherStats, SubscriberStats
    from juicebus.aio import Publisher, PublisherAsync, Subscriber, SubscriberAsync

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

# Names that need asyncio, belong to a proxy or are of stats or notices, and their modules.
# asyncio takes longer to import than all of this package, and a program with the blocking
# twins does without it; making two dataclasses takes 1 ms.
_ON_FIRST_USE = {
    "Notice": "juicebus._notices",
    "NoticeKind": "juicebus._notices",
    "Proxy": "juicebus._proxy",
    "ProxyStats": "juicebus._proxy_stats",
    "Publisher": "juicebus.aio",
    "PublisherAsync": "juicebus.aio",
    "PublisherStats": "juicebus._stats",
    "Subscriber": "juicebus.aio",
    "SubscriberAsync": "juicebus.aio",
    "SubscriberStats": "juicebus._stats",
    "TopicStats": "juicebus._proxy_stats",
}

# Not for type checkers: to them, a module with a __getattr__ has every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import such a name when it is first asked for."""
        if name == "aio":
            return import_module("juicebus.aio")
        if name == "__version__":
            return import_module("importlib.metadata").version("juicebus")
        if name not in _ON_FIRST_USE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_ON_FIRST_USE[name]), name)
        return found


def __dir__() -> list[str]:
    return [*{*globals(), *__all__}]
