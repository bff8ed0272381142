# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Transport alone in Python: bytes that are ready go in at one end and come out at the other."""

from __future__ import annotations

from functools import partial

from bench import Bench
from measure import Measure, Target
from stream import CHUNKS_IN_WINDOW, WINDOW

# What each peer calls itself: its module, which is its broker's name too, and how it is used.
PEERS = {
    "juicebus": ("juicebus", "blocking", "one"),
    "juicebus, batches": ("juicebus", "blocking", "many"),
    "juicebus, async": ("juicebus", "async", "one"),
    "juicebus, async batches": ("juicebus", "async", "many"),
    "pyzmq": ("zmq", "blocking", "one"),
    "zmq.asyncio": ("zmq", "async", "one"),
    "zenoh": ("zenoh", "blocking", "one"),
    "nats-py": ("nats", "async", "one"),
}
THEIRS = ("pyzmq", "zmq.asyncio", "zenoh", "nats-py")


def cost(end: str, peer: str, bench: Bench) -> float:
    module, twin, unit = PEERS[peer]
    how = (module, twin, unit, "bytes", WINDOW)
    found = bench.once(("transport", peer), lambda: bench.stream(module, how, how))
    return float(found[end]["cpu_us"])


MEASURES = (
    Measure(
        name="transport-publish",
        title="transport alone, publish",
        how="130 bytes and a key, through each peer's own proxy, router or server, at most "
        f"{WINDOW:,} under way; the CPU time of the publisher's whole process until all have been "
        "received. juicebus sends with send_frame, or in batches of "
        f"{WINDOW // CHUNKS_IN_WINDOW} with publish_many.",
        unit="µs CPU/event",
        peers={peer: partial(cost, "publish", peer) for peer in PEERS},
        targets=(
            *(Target("juicebus", base, at_least=1) for base in ("pyzmq", "zenoh")),
            *(Target("juicebus, batches", base, at_least=1) for base in THEIRS),
        ),
    ),
    Measure(
        name="transport-get",
        title="transport alone, get",
        how="The CPU time of the subscriber's whole process in the same runs. juicebus gets "
        "events whose class takes the bytes as they are; zenoh receives from a FIFO channel, "
        "nats-py with next_msg.",
        unit="µs CPU/event",
        peers={peer: partial(cost, "get", peer) for peer in PEERS},
        targets=tuple(
            Target(peer, base, at_least=2)
            for peer in ("juicebus", "juicebus, batches")
            for base in THEIRS
        ),
    ),
)
