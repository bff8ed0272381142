# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Queues that are full, and memory that runs out at any allocation of the C code."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

import juicebus
from addresses import free_uri
from c_program import c_program, figures_of
from events import Numbered
from probing import DEADLINE_S
from proxy_process import ProxyProcess

pytestmark = pytest.mark.fault(17)

LIMITS = (1, 2, 3, 10, 100)
SENT = 150


def kept(sent: int, limit: int, overflow: str) -> list[int]:
    """Return the numbers that a queue of a limit keeps of 0, 1, 2, …"""
    numbers = list(range(sent))
    return numbers[-limit:] if overflow == "drop_oldest" else numbers[:limit]


def numbers_in(subscriber: juicebus.SubscriberBlocking[Any], count: int) -> list[int]:
    """Take so many events."""
    return [subscriber.get(DEADLINE_S).number for _ in range(count)]


@pytest.mark.parametrize("overflow", ["block", "drop_oldest", "drop_newest"])
def test_a_publishers_full_queue_does_what_overflow_says(
    overflow: Any, record_property: Callable[[str, object], None]
) -> None:
    for limit in LIMITS:
        pub_uri, sub_uri = free_uri(), free_uri()
        with (
            closing(
                juicebus.PublisherBlocking(pub_uri, max_events=limit, overflow=overflow)
            ) as pub,
            closing(juicebus.SubscriberBlocking[Numbered](sub_uri)) as subscriber,
        ):
            subscriber.subscribe(Numbered)
            refused = 0
            for number in range(SENT):
                try:
                    pub.publish(Numbered(number=number), timeout=0)
                except TimeoutError:
                    refused += 1
            assert refused == (SENT - limit if overflow == "block" else 0)
            stats = pub.stats()
            assert (stats.pending_events, stats.dropped + refused) == (limit, SENT - limit)
            # Held for longer than reconnecting takes, also on a machine under load.
            with juicebus.Proxy(pub_uri, sub_uri, hold=2.0):
                assert numbers_in(subscriber, limit) == kept(SENT, limit, overflow)
    record_property("figure", f"publisher, {overflow}: {len(LIMITS)} limits exact")


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_a_subscribers_full_ring_does_what_overflow_says(
    overflow: Any, proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    for limit in LIMITS:
        with (
            closing(juicebus.PublisherBlocking(proxy.pub_uri)) as publisher,
            closing(
                juicebus.SubscriberBlocking[Numbered](
                    proxy.sub_uri, max_events=limit, overflow=overflow
                )
            ) as subscriber,
        ):
            subscriber.subscribe(Numbered)
            assert subscriber.ready(DEADLINE_S)
            publisher.publish_many([Numbered(number=number) for number in range(SENT)])
            # Nobody takes them, so they go into the ring.
            end = time.monotonic() + DEADLINE_S
            while (stats := subscriber.stats()).pending_events + stats.dropped < SENT:
                assert time.monotonic() < end, stats
            assert (stats.pending_events, stats.dropped) == (limit, SENT - limit)
            assert numbers_in(subscriber, limit) == kept(SENT, limit, overflow)
    record_property("figure", f"subscriber, {overflow}: {len(LIMITS)} limits exact")


def test_memory_that_runs_out_is_an_error(
    record_property: Callable[[str, object], None],
) -> None:
    for figure in figures_of([c_program("memory_that_runs_out_is_an_error")]):
        record_property("figure", figure)
