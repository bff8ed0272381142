# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""One bus: a proxy with every peer on it, each as a publisher and as a subscriber.

A juicebus peer asks the proxy whether its subscriptions are live, and at its end
whether its events have arrived; only our proxy can confirm it. Juice's peers cannot
ask, so the publishers send probes until every subscriber has had one from each of them
on each of its subscriptions. Only then do they send the events that count, and last an
end event each: nothing of theirs can come behind it. Events go from `cases.py` to the
peers, and from there to a `Ledger` per subscriber; `report.py` prints those.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import chain

from cases import CODECS, Case, Codec, cases, end, probes, subscriptions
from ledger import Ledger
from process import LineProcess, News, ProcessError
from proxies import Addresses

READY_TIMEOUT_S = 120.0
PROBE_TIMEOUT_S = 60.0
PROBE_PAUSE_S = 0.2
END_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class PeerKind:
    """An implementation that can be started as `command pub|sub URI …`."""

    name: str
    command: tuple[str, ...]
    codecs: tuple[Codec, ...] = CODECS
    asks: bool = True


@dataclass
class Publisher:
    """A publishing peer and how far it has come."""

    kind: PeerKind
    process: LineProcess = field(init=False)
    is_ready: bool = False
    told: int = 0
    sent: int = 0
    answer: str | None = None

    def hear(self, line: str) -> None:
        """Take in one line that it printed."""
        if line == "ready":
            self.is_ready = True
        elif line == f"sent {self.sent + 1}":
            self.sent += 1
        elif line.startswith("flushed "):
            self.answer = line.removeprefix("flushed ")
        else:
            raise ValueError(line)

    async def send(self, batch: Sequence[Case]) -> None:
        """Make it publish these events."""
        self.told += len(batch)
        await self.process.tell([case.line() for case in batch])


@dataclass
class Subscriber:
    """A subscribing peer and what it has received."""

    kind: PeerKind
    ledger: Ledger
    process: LineProcess = field(init=False)
    is_ready: bool = False
    answer: str | None = None

    def hear(self, line: str) -> None:
        """Take in one line that it printed."""
        if line == "ready":
            self.is_ready = True
        elif line.startswith("ready "):
            self.is_ready = True
            self.answer = line.removeprefix("ready ")
        else:
            self.ledger.enter(line)


class Bus:
    """The peers on one proxy. Use `run` once, then read `subscribers`."""

    def __init__(self, kinds: Sequence[PeerKind], proxy_confirms: bool, news: News) -> None:
        self._news = news
        self._answer = "confirmed" if proxy_confirms else "unconfirmed"
        routes = [(kind.name, codec) for kind in kinds for codec in kind.codecs]
        self._probes = {route: probes(*route) for route in routes}
        self._cases = {route: [*cases(*route), end(*route)] for route in routes}
        everything = chain(*self._probes.values(), *self._cases.values())
        sent = {case.normal: case for case in everything}
        self.publishers = [Publisher(kind) for kind in kinds]
        self.subscribers = [Subscriber(kind, Ledger(sent)) for kind in kinds]

    async def run(self, addresses: Addresses) -> None:
        """Start the peers, send everything, wait until it has arrived, end the peers.

        Raises ProcessError if a peer fails or does not do its part in time. What
        did not arrive is no error here: the ledgers tell.
        """
        async with AsyncExitStack() as stack:
            await self._start(addresses, stack)
            await self._probe()
            for publisher in self.publishers:
                for codec in publisher.kind.codecs:
                    await publisher.send(self._cases[publisher.kind.name, codec])
            await self._news.until(lambda: not self._missing_ends(), END_TIMEOUT_S)
            for peer in self._peers():
                await peer.process.finish(STOP_TIMEOUT_S)

    def wrong_answers(self) -> list[str]:
        """Return who was not told by the proxy what it asked, a line each."""
        return [
            f"{peer.process.label} was told {peer.answer!r} by the proxy"
            for peer in self._peers()
            if peer.answer != (self._answer if peer.kind.asks else None)
        ]

    def _peers(self) -> list[Publisher | Subscriber]:
        return [*self.publishers, *self.subscribers]

    async def _start(self, addresses: Addresses, stack: AsyncExitStack) -> None:
        for subscriber in self.subscribers:
            wanted = [name for codec in subscriber.kind.codecs for name in subscriptions(codec)]
            command = [*subscriber.kind.command, "sub", addresses.sub_uri, *wanted]
            await self._start_peer(subscriber, command, stack)
        for publisher in self.publishers:
            command = [*publisher.kind.command, "pub", addresses.pub_uri]
            await self._start_peer(publisher, command, stack)
        peers = self._peers()
        if not await self._news.until(lambda: all(p.is_ready for p in peers), READY_TIMEOUT_S):
            late = ", ".join(p.process.label for p in peers if not p.is_ready)
            raise ProcessError(f"{late}: not ready within {READY_TIMEOUT_S:g} s")

    async def _start_peer(
        self, peer: Publisher | Subscriber, command: Sequence[str], stack: AsyncExitStack
    ) -> None:
        label = f"{peer.kind.name} {type(peer).__name__.lower()}"
        peer.process = await LineProcess.start(label, command, peer.hear, self._news)
        stack.push_async_callback(peer.process.kill)

    async def _probe(self) -> None:
        """Send probes until every subscription has had one from every publisher."""
        for _attempt in range(int(PROBE_TIMEOUT_S / PROBE_PAUSE_S)):
            for publisher in self.publishers:
                if publisher.sent == publisher.told:
                    for codec in publisher.kind.codecs:
                        await publisher.send(self._probes[publisher.kind.name, codec])
            if await self._news.until(lambda: not self._missing_probes(), PROBE_PAUSE_S):
                return
        missing = "\n  ".join(self._missing_probes())
        raise ProcessError(f"no probe arrived within {PROBE_TIMEOUT_S:g} s:\n  {missing}")

    def _missing_probes(self) -> list[str]:
        return [
            f"{publisher} -> {subscriber.kind.name}: {probe.event.name()} {probe.event.topic()}"
            for subscriber in self.subscribers
            for (publisher, codec), route_probes in self._probes.items()
            if codec in subscriber.kind.codecs
            for probe in route_probes
            if not subscriber.ledger.has_probe(probe)
        ]

    def _missing_ends(self) -> list[str]:
        return [
            f"{publisher} -> {subscriber.kind.name}: {codec}"
            for subscriber in self.subscribers
            for publisher, codec in self._cases
            if codec in subscriber.kind.codecs and not subscriber.ledger.has_end(publisher, codec)
        ]
