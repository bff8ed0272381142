# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""One stream of events between native programs: publishers, a proxy, subscribers.

Each is a process of its own; they share a `Cell` (cell.h), by which publishers stay a
window ahead of the subscribers at most. So no queue on the way has to drop, and a program
whose events do not all arrive, each once, ends with an error. Next: raw.c, bus.c, gobus.
"""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from functools import partial

from bench import ANY_PORT, Bench
from process import Process

# A page: more than struct cell of cell.h takes.
CELL_BYTES = 4096


@dataclass(frozen=True)
class Cell:
    """What the programs do. The order of the fields is that of cell.h."""

    publishers: int = 1
    events: int = 400_000  # of each publisher
    keys: int = 1
    filters: int = 0  # of each subscriber, one a key; 0: one for all keys
    subscribers: int = 1
    window: int = 20_000  # events under way, counted once a subscriber
    batch: int = 1_000
    unchecked: bool = False  # publishers do not check payloads


@dataclass(frozen=True)
class Flow:
    """What was measured, from the first event until the last has arrived."""

    events_per_s: float  # arriving, at each subscriber
    publisher_us: float  # CPU time of a publisher's process, an event
    subscriber_us: float  # CPU time of the subscribers' process, an event that one received
    proxy_us: float  # CPU time of the proxy's process, an event that one received


def flow(bench: Bench, proxy: str, program: str, cell: Cell) -> Flow:
    """Let events flow; raise if one is lost.

    `proxy` is a broker of the frame's, or "zmq": zmq_proxy in C; `program` is that of both
    sides: raw, bus or gobus.
    """
    if cell.batch * cell.subscribers > cell.window:
        raise ValueError("one batch does not fit into the window")
    build(bench)
    if proxy == "zmq":
        command = [str(bench.build / "zmq_proxy"), ANY_PORT, ANY_PORT]
    else:
        command = bench.broker_command(proxy)
    with ExitStack() as stack:
        page = stack.enter_context(tempfile.NamedTemporaryFile(dir=bench.build))
        broker, pub_uri, sub_uri = stack.enter_context(bench.listening(command))
        page.write(struct.pack("9Q", *astuple(cell), broker.pid))
        page.truncate(CELL_BYTES)
        page.flush()

        def start(role: str, uri: str, *index: str) -> Process:
            return stack.enter_context(
                bench.process([bench.build / program, role, page.name, uri, *index])
            )

        taking = start("sub", sub_uri)
        sending = [start("pub", pub_uri, str(index)) for index in range(cell.publishers)]
        taken = taking.json()
        sent = [process.json() for process in sending]
    each = taken["events"] / cell.subscribers
    return Flow(
        events_per_s=each / taken["wall_ns"] * 1e9,
        publisher_us=sum(s["cpu_ns"] for s in sent) / sum(s["events"] for s in sent) / 1e3,
        subscriber_us=taken["cpu_ns"] / taken["events"] / 1e3,
        proxy_us=taken["proxy_cpu_ns"] / taken["events"] / 1e3,
    )


def peers(
    flows: dict[str, tuple[str, str, Cell]], figure: Callable[[Flow], float]
) -> dict[str, Callable[[Bench], float]]:
    """Return a measure's peers: a figure of each flow, which has a proxy, a program, and a cell."""

    def peer(what: tuple[str, str, Cell], bench: Bench) -> float:
        return figure(bench.once(what, lambda: flow(bench, *what)))

    return {name: partial(peer, what) for name, what in flows.items()}


def build(bench: Bench) -> None:
    """Build the programs that are not there yet, or older than their sources; once a round."""
    command = ["make", "-s", "-C", str(bench.here / "native")]
    bench.once("native programs", lambda: subprocess.run(command, check=True))
