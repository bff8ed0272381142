# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Go to Go and C to C through juicebus-proxy, beside libzmq in C through zmq_proxy."""

from __future__ import annotations

from measure import Measure, Target
from native.flow import Cell, peers

LIBZMQ = "libzmq in C"
# Proxy, the program of both sides, and what they do.
PAIRS = {
    "juicebus in C": ("juicebus", "bus", Cell(events=500_000)),
    "juicebus in Go": ("juicebus", "gobus", Cell(events=500_000)),
    "juicebus in C, payloads unchecked": ("juicebus", "bus", Cell(events=500_000, unchecked=True)),
    LIBZMQ: ("zmq", "raw", Cell(events=500_000)),
}

TARGETS = tuple(Target(name, LIBZMQ, at_least=0.9) for name in ("juicebus in C", "juicebus in Go"))

MEASURES = (
    Measure(
        name="native-throughput",
        title="C to C and Go to Go, through the proxy",
        how="One publisher, the proxy, one subscriber; juicebus with its batch calls, "
        f"{Cell.batch:,} events each, and libzmq with two calls an event; the publisher at most "
        f"{Cell.window:,} events ahead, none lost. juicebus checks each payload at both ends; "
        "libzmq looks at none.",
        unit="events/s",
        peers=peers(PAIRS, lambda f: f.events_per_s),
        targets=TARGETS,
        more_is_better=True,
    ),
    Measure(
        name="native-publish",
        title="C and Go, CPU per publish",
        how="The CPU time of the publisher's process in the same runs, until all has arrived.",
        unit="µs CPU/event",
        peers=peers(PAIRS, lambda f: f.publisher_us),
        targets=TARGETS,
    ),
    Measure(
        name="native-get",
        title="C and Go, CPU per get",
        how="The CPU time of the subscriber's process in the same runs.",
        unit="µs CPU/event",
        peers=peers(PAIRS, lambda f: f.subscriber_us),
        targets=(),
    ),
)
