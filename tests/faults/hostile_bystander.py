# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The good clients of a proxy that a hostile peer is at, and what the proxy takes meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from typing_extensions import Self

import juicebus
from events import Probe
from probing import until_received
from procfs import peak_resident_bytes, resident_bytes
from proxy_process import ProxyProcess

SERVED_WITHIN_S = 1.0


def seconds_until_served(proxy: ProxyProcess) -> float:
    """Return how long it takes from opening a publisher and a subscriber to an event."""
    began_at = time.monotonic()
    with (
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
    ):
        subscriber.subscribe(Probe)
        until_received(publisher, subscriber, Probe())
        return time.monotonic() - began_at


class Bystanders:
    """A publisher and a subscriber that are there before the hostile peer comes, and stay.

    Notes what the proxy takes from then on: memory and time of the processors.
    """

    def __init__(self, proxy: ProxyProcess) -> None:
        """Connect to a proxy."""
        self._proxy = proxy
        self._publisher = juicebus.PublisherBlocking(proxy.pub_uri)
        self._subscriber = juicebus.SubscriberBlocking[Any](proxy.sub_uri)

    def __enter__(self) -> Self:
        self._subscriber.subscribe(Probe)
        until_received(self._publisher, self._subscriber, Probe())
        self._resident_bytes = resident_bytes(self._proxy.pid)
        self._began_at = time.monotonic()
        self._processor_s = processor_seconds(self._proxy.pid)
        return self

    def assert_still_there(self) -> None:
        """Their connections are those that they had, and serve."""
        until_received(self._publisher, self._subscriber, Probe())
        assert self._publisher.stats().reconnects == 0
        assert self._subscriber.stats().reconnects == 0

    def assert_served(self) -> float:
        """So do they, and new clients are served soon: after the time that is returned."""
        served_s = seconds_until_served(self._proxy)
        self.assert_still_there()
        assert served_s <= SERVED_WITHIN_S
        return served_s

    def growth_bytes(self) -> int:
        """By how much the proxy has grown at most."""
        return peak_resident_bytes(self._proxy.pid) - self._resident_bytes

    def load(self) -> float:
        """Which part of one processor the proxy has used."""
        used_s = processor_seconds(self._proxy.pid) - self._processor_s
        return used_s / (time.monotonic() - self._began_at)

    def __exit__(self, *exception: object) -> None:
        self._publisher.close()
        self._subscriber.close()


def processor_seconds(pid: int) -> float:
    """Return the time of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
