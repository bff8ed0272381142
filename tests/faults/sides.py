# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""juicebus and today's Juice behind one face, so that both meet the same fault.

juicebus's event classes serve on both sides: Juice takes them as its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import juicebus
from events import Probe
from probing import until
from proxy_process import ProxyProcess


@dataclass(frozen=True)
class Side:
    """One implementation: its proxy and its clients."""

    proxy: Callable[[], ProxyProcess]
    publisher: Any
    subscriber: Any
    publisher_async: Any
    subscriber_async: Any


JUICEBUS = Side(
    ProxyProcess.juicebus,
    juicebus.PublisherBlocking,
    juicebus.SubscriberBlocking,
    juicebus.PublisherAsync,
    juicebus.SubscriberAsync,
)


def side_named(name: str) -> Side:
    """Return "juicebus" or "juice"; importing Juice takes a second or two."""
    if name == "juicebus":
        return JUICEBUS
    from orangeqs.juice.messaging import zmq

    return Side(
        ProxyProcess.juice,
        zmq.ZMQPublisherBlocking,
        zmq.ZMQSubscriberBlocking,
        zmq.ZMQPublisherAsync,
        zmq.ZMQSubscriberAsync,
    )


def until_live(publish: Callable[[juicebus.Event], None], subscriber: Any) -> None:
    """Publish probes until one has arrived and all have been taken.

    Clients and proxies of today cannot say that a subscription is live.
    """
    subscriber.subscribe(Probe)
    arrived: list[Any] = []

    def attempt() -> None:
        publish(Probe())
        arrived.extend(taken(subscriber, 0.05))

    until(lambda: bool(arrived), attempt)
    last = Probe()
    publish(last)
    until(lambda: last in arrived, lambda: arrived.extend(taken(subscriber, 0.05)))


def taken(subscriber: Any, timeout: float) -> list[Any]:
    """Return the next event, if one comes within the time."""
    try:
        return [subscriber.get(timeout=timeout)]
    except TimeoutError:
        return []
