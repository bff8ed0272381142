# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""TCP connections that go silent without an end, between the clients and the proxy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import juicebus
from events import Numbered
from probing import DEADLINE_S, until
from proxy_process import ProxyProcess
from relay import Relay

pytestmark = pytest.mark.fault(3)

TOLD_WITHIN_S = 4.0
LOOK_S = 0.02


@dataclass
class Clients:
    """A publisher and a subscriber, each behind a relay of its own."""

    publisher: juicebus.PublisherBlocking
    subscriber: juicebus.SubscriberBlocking[Any]
    relays: tuple[Relay, Relay]

    def seconds_to_tell(self) -> float:
        """Return how long it takes until both say that they are not connected, or are again."""
        began = time.monotonic()
        until(self._both_are_told, lambda: time.sleep(LOOK_S))
        return time.monotonic() - began

    def _both_are_told(self) -> bool:
        both = self.publisher.stats(), self.subscriber.stats()
        return all(not stats.connected or stats.reconnects > 0 for stats in both)

    def seconds_to_recover(self) -> float:
        """Return how long it takes until the subscription is live and an event comes through."""
        began = time.monotonic()
        assert self.subscriber.ready(DEADLINE_S)
        last = Numbered(number=round(began))
        self.publisher.publish(last, timeout=DEADLINE_S)
        while self.subscriber.get(DEADLINE_S) != last:
            pass
        return time.monotonic() - began


@contextmanager
def live_clients(proxy: ProxyProcess) -> Iterator[Clients]:
    with (
        Relay(proxy.pub_uri) as pub,
        Relay(proxy.sub_uri) as sub,
        juicebus.PublisherBlocking(pub.uri) as publisher,
        juicebus.SubscriberBlocking[Any](sub.uri) as subscriber,
    ):
        subscriber.subscribe(Numbered)
        publisher.wait_connected(DEADLINE_S)
        assert subscriber.ready(DEADLINE_S)
        yield Clients(publisher, subscriber, (pub, sub))


def half_open(proxy: ProxyProcess) -> tuple[float, float]:
    """Forget the connections; return the seconds until told, and until recovered."""
    with live_clients(proxy) as clients:
        for relay in clients.relays:
            relay.forget()
        return clients.seconds_to_tell(), clients.seconds_to_recover()


def stalled(proxy: ProxyProcess) -> tuple[float, float]:
    """Stall every connection and resume; return the same."""
    with live_clients(proxy) as clients:
        for relay in clients.relays:
            relay.stall()
        told = clients.seconds_to_tell()
        for relay in clients.relays:
            relay.resume()
        return told, clients.seconds_to_recover()


def test_a_silent_network_is_told_and_the_clients_recover_by_themselves(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    faults = (half_open, stalled)
    with ThreadPoolExecutor(len(faults)) as pool:
        runs = [pool.submit(fault, proxy) for fault in faults]
    for fault, run in zip(faults, runs, strict=True):
        told, recovered = run.result()
        assert told <= TOLD_WITHIN_S
        record_property(
            "figure",
            f"{fault.__name__}: told after {told:.1f} s, events flow {recovered:.1f} s later",
        )
