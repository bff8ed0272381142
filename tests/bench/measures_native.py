# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Go to Go and C to C through juicebus-proxy, beside libzmq in C through zmq_proxy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench import Bench
from measure import Measure, Target
from native.flow import Cell, Flow, flow

LIBZMQ = "libzmq in C"
# Proxy, the program of both sides, and what they do.
PAIRS = {
    "juicebus in C": ("juicebus", "bus", Cell(events=500_000)),
    "juicebus in Go": ("juicebus", "gobus", Cell(events=500_000)),
    "juicebus in C, payloads unchecked": ("juicebus", "bus", Cell(events=500_000, unchecked=True)),
    LIBZMQ: ("zmq", "raw", Cell(events=500_000)),
}


def _peers(figure: Callable[[Flow], float]) -> dict[str, Callable[[Bench], float]]:
    def peer(name: str, bench: Bench) -> float:
        proxy, program, cell = PAIRS[name]

        def run() -> Flow:
            return flow(bench, proxy, program, program, cell)

        return figure(bench.once(("native", name), run))

    return {name: partial(peer, name) for name in PAIRS}


TARGETS = tuple(Target(name, LIBZMQ, at_least=0.9) for name in ("juicebus in C", "juicebus in Go"))

MEASURES = (
    Measure(
        name="native-throughput",
        title="C to C and Go to Go, through the proxy",
        how="One publisher, the proxy, one subscriber; juicebus with its batch calls, 1,000 "
        "events each, and libzmq with two calls an event; the publisher at most 20,000 events "
        "ahead, none lost. juicebus checks each payload at both ends; libzmq looks at none.",
        unit="events/s",
        peers=_peers(lambda f: f.events_per_s),
        targets=TARGETS,
        more_is_better=True,
    ),
    Measure(
        name="native-publish",
        title="C and Go, CPU per publish",
        how="The CPU time of the publisher's process in the same runs, until all has arrived.",
        unit="µs CPU/event",
        peers=_peers(lambda f: f.publisher_us),
        targets=TARGETS,
    ),
    Measure(
        name="native-get",
        title="C and Go, CPU per get",
        how="The CPU time of the subscriber's process in the same runs.",
        unit="µs CPU/event",
        peers=_peers(lambda f: f.subscriber_us),
        targets=(),
    ),
)
