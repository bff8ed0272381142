# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Events of exactly the largest size, and one byte over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import juicebus
from events import Probe
from probing import DEADLINE_S
from proxy_process import ProxyProcess

pytestmark = pytest.mark.fault(5)

LIMIT_BYTES = 1 << 20
# What the map, the field's name and the head of its value take of a payload.
MAP_HEAD = b"\xa1\x67filling\x5a"


class Filled(juicebus.Event):
    """An event whose size a test chooses."""

    filling: bytes


def frames(size: int) -> list[bytes]:
    """Return an event of exactly so many bytes, key and payload."""
    key = b"Filled."
    count = size - len(key) - len(MAP_HEAD) - 4
    return [key, MAP_HEAD + count.to_bytes(4, "big") + bytes(count)]


def exchange(
    proxy: ProxyProcess,
    send: Callable[[juicebus.PublisherBlocking], None],
    at_publisher: dict[str, Any],
    at_subscriber: dict[str, Any],
) -> tuple[juicebus.PublisherStats, juicebus.SubscriberStats]:
    """Send on a live connection; return the counts after everything sent has arrived.

    The events that arrive are one at the limit and the last Probe, nothing else.
    """
    with (
        juicebus.PublisherBlocking(proxy.pub_uri, **at_publisher) as publisher,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri, **at_subscriber) as subscriber,
    ):
        subscriber.subscribe(Filled)
        subscriber.subscribe(Probe)
        assert subscriber.ready(DEADLINE_S)
        publisher.send_frame(frames(LIMIT_BYTES))
        send(publisher)
        last = Probe()
        publisher.publish(last)
        arrived = [subscriber.get(DEADLINE_S)]
        while arrived[-1] != last:
            arrived.append(subscriber.get(DEADLINE_S))
        assert [len(e.filling) for e in arrived if isinstance(e, Filled)] == [
            len(frames(LIMIT_BYTES)[1]) - len(MAP_HEAD) - 4
        ]
        return publisher.stats(), subscriber.stats()


def send_too_large(publisher: juicebus.PublisherBlocking) -> None:
    publisher.send_frame(frames(LIMIT_BYTES + 1))


def test_a_publisher_refuses_one_byte_over_its_limit(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    def be_refused(publisher: juicebus.PublisherBlocking) -> None:
        with pytest.raises(juicebus.InvalidError, match=str(LIMIT_BYTES)):
            send_too_large(publisher)

    publisher, subscriber = exchange(proxy, be_refused, {"max_event_bytes": LIMIT_BYTES}, {})
    assert (publisher.reconnects, subscriber.reconnects, subscriber.dropped) == (0, 0, 0)
    record_property("figure", "publisher: at the limit delivered, over it InvalidError")


def test_a_subscriber_drops_and_counts_one_byte_over_its_limit(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    publisher, subscriber = exchange(proxy, send_too_large, {}, {"max_event_bytes": LIMIT_BYTES})
    assert (publisher.reconnects, subscriber.reconnects, subscriber.dropped) == (0, 0, 1)
    record_property("figure", "subscriber: over it 1 dropped and counted")


def test_a_proxy_refuses_and_counts_one_byte_over_its_limit(
    record_property: Callable[[str, object], None],
) -> None:
    with ProxyProcess.juicebus("--hold", "0", "--max-event-bytes", str(LIMIT_BYTES)) as proxy:
        publisher, subscriber = exchange(proxy, send_too_large, {}, {})
    assert (publisher.reconnects, subscriber.reconnects, subscriber.dropped) == (0, 0, 0)
    assert " refused=1" in proxy.last_words
    record_property("figure", "proxy: over it 1 refused and counted; 0 reconnects in all three")
