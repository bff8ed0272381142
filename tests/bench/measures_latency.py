# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""An event now and then: how long it is under way, and what waiting costs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from bench import Bench
from measure import Measure, Target
from native.flow import build

# What each subscriber calls itself: its module, and how the events are written.
PEERS = {
    "juicebus": ("juicebus", "cbor"),
    "juicebus, JSON": ("juicebus", "json"),
    "Juice": ("juice", "json"),
}
# What is left if receiving costs nothing, with libzmq and without: how ticked.c receives.
FLOORS = {"libzmq in C": "zmq", "ZMTP in C": "socket"}
OURS = ("juicebus", "juicebus, JSON")
TWINS = ("blocking", "async")


def latency(figure: str, twin: str, peer: str, bench: Bench) -> float:
    module, codec = PEERS[peer]

    def run() -> Any:
        with bench.broker("juicebus") as (pub, sub), bench.script("ticking.py", pub, codec):
            return bench.result("latency.py", module, twin, sub)

    return float(bench.once(("latency", twin, peer), run)[figure])


def floor(figure: str, source: str, bench: Bench) -> float:
    def run() -> Any:
        build(bench)
        with (
            bench.broker("juicebus") as (pub, sub),
            bench.script("ticking.py", pub, "cbor"),
            bench.process([bench.build / "ticked", source, sub]) as process,
        ):
            return process.json()

    return float(bench.once(("latency", source), run)[figure])


def peers(figure: str, twin: str) -> dict[str, Callable[[Bench], float]]:
    ours = {peer: partial(latency, figure, twin, peer) for peer in PEERS}
    return {**ours, **{peer: partial(floor, figure, source) for peer, source in FLOORS.items()}}


def idle(twin: str, module: str, bench: Bench) -> float:
    def run() -> dict[tuple[str, str], float]:
        """Let all be idle at the same time: they do not disturb each other."""
        with ExitStack() as stack:
            processes = {
                (a_twin, a_module): stack.enter_context(
                    bench.script(
                        "idle.py", a_module, a_twin, *stack.enter_context(bench.broker(a_module))
                    )
                )
                for a_twin in TWINS
                for a_module in ("juicebus", "juice")
            }
            return {key: process.json() for key, process in processes.items()}

    return float(bench.once("idle", run)[twin, module])


def measures(twin: str, latency_at_most: float, cpu_at_most: float) -> tuple[Measure, ...]:
    delays = tuple(
        Measure(
            name=f"latency-{percentile}-{twin}",
            title=f"latency {percentile} at 500/s, {twin}",
            how="From before publish to the return of get, decoded; everybody through "
            "juicebus-proxy, from the same publisher. In C: a subscriber that decodes nothing, "
            "with libzmq, and with a socket of its own.",
            unit="µs",
            peers=peers(percentile, twin),
            targets=tuple(Target(peer, "Juice", at_most=latency_at_most) for peer in OURS),
        )
        for percentile in ("p50", "p99")
    )
    return (
        *delays,
        Measure(
            name=f"cpu-500-{twin}",
            title=f"get at 500/s, {twin}",
            how="The CPU time of the subscriber's process in the same runs.",
            unit="µs CPU/event",
            peers=peers("cpu", twin),
            targets=tuple(Target(peer, "Juice", at_most=cpu_at_most) for peer in OURS),
        ),
        Measure(
            name=f"idle-{twin}",
            title=f"idle, {twin}",
            how="The CPU time of a process with a connected publisher, and a subscriber that "
            "waits in get, over 3 s in which there is no event; each with its own proxy.",
            unit="% of a core",
            peers={
                "juicebus": partial(idle, twin, "juicebus"),
                "Juice": partial(idle, twin, "juice"),
            },
            targets=(Target("juicebus", at_most=0.1),),
        ),
    )


MEASURES = (*measures("blocking", 1.0, 1.2), *measures("async", 0.8, 0.8))
