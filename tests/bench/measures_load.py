# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What juicebus adds to a Python process before the first event."""

from __future__ import annotations

from functools import partial

from bench import Bench
from measure import Measure, Target
from native.flow import build

EMPTY = str(Bench.build / "libempty.so")
PEERS = {
    "juicebus": "juicebus",
    "juicebus, library alone": "library",
    "libzmq alone": "libzmq",
    "an empty library in Go": EMPTY,
    "Juice": "juice",
}


def figure(of: str, what: str, bench: Bench) -> float:
    build(bench)
    return float(bench.once(("load", what), lambda: bench.result("loading.py", what))[of])


def measure(name: str, title: str, how: str, unit: str, at_most: float) -> Measure:
    return Measure(
        name=name,
        title=title,
        how=how,
        unit=unit,
        peers={peer: partial(figure, unit, what) for peer, what in PEERS.items()},
        targets=tuple(
            Target(peer, at_most=at_most) for peer in ("juicebus", "juicebus, library alone")
        ),
    )


MEASURES = (
    measure(
        "load-time",
        "load time",
        "In a process that has pydantic: the import and the first subscriber. Library alone: "
        "the first subscriber, which loads libjuicebus.so. libzmq alone: that library, and a "
        "socket that connects.",
        "ms",
        20,
    ),
    measure("load-memory", "memory", "Resident memory added in the same runs.", "MiB", 6),
)
