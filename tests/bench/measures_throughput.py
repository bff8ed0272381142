# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Python to Python at full speed, decoded events: the rate, and what get and publish cost."""

from __future__ import annotations

from functools import partial

from bench import Bench
from measure import Measure, Target
from stream import CHUNKS_IN_WINDOW, WINDOW, WINDOW_OF_JUICE

# What each peer calls itself: its module, whether it takes events one by one, and its window.
PEERS = {
    "juicebus": ("juicebus", "one", WINDOW),
    "juicebus, batches": ("juicebus", "many", WINDOW),
    "Juice": ("juice", "one", WINDOW_OF_JUICE),
}
OURS = ("juicebus", "juicebus, batches")


def received(figure: str, twin: str, peer: str, bench: Bench) -> float:
    """Get from a publisher of the same peer, through its own proxy."""
    module, unit, window = PEERS[peer]
    how = (module, twin, unit, "event", window)
    found = bench.once(("stream", twin, peer), lambda: bench.stream(module, how, how))
    return float(found["get"][figure])


def publish_cost(twin: str, peer: str, bench: Bench) -> float:
    """Publish to the same subscriber, through the same proxy, whoever publishes."""
    module, unit, window = PEERS[peer]
    publisher = (module, twin, unit, "event", window)
    subscriber = ("juicebus", "blocking", "many", "event", window)
    return float(bench.stream("juicebus", publisher, subscriber)["publish"]["cpu_us"])


def measures(twin: str, get_gain: float) -> tuple[Measure, ...]:
    return (
        Measure(
            name=f"throughput-{twin}",
            title=f"Python to Python, {twin}",
            how="A process publishes ready events, another gets and decodes them, each peer "
            f"through its own proxy; the publisher is at most {WINDOW:,} events ahead, none is "
            f"lost ({WINDOW_OF_JUICE} with Juice, which drops beyond 1,000). Batches: "
            f"publish_many and get_many, {WINDOW // CHUNKS_IN_WINDOW} events each.",
            unit="events/s",
            peers={peer: partial(received, "events_per_s", twin, peer) for peer in PEERS},
            # A user who wants speed takes batches.
            targets=(Target("juicebus, batches", "Juice", at_least=10),),
            more_is_better=True,
        ),
        Measure(
            name=f"get-{twin}",
            title=f"get at full speed, {twin}",
            how="The CPU time of the subscriber's process in the same runs.",
            unit="µs CPU/event",
            peers={peer: partial(received, "cpu_us", twin, peer) for peer in PEERS},
            targets=tuple(Target(peer, "Juice", at_least=get_gain) for peer in OURS),
        ),
        Measure(
            name=f"publish-{twin}",
            title=f"publish of a ready event, {twin}",
            how="The CPU time of the publisher's process, encoding included, with everybody "
            "through juicebus-proxy to the same subscriber; juicebus writes CBOR, Juice JSON.",
            unit="µs CPU/event",
            peers={peer: partial(publish_cost, twin, peer) for peer in PEERS},
            targets=tuple(Target(peer, "Juice", at_least=2.5) for peer in OURS),
        ),
    )


MEASURES = (*measures("blocking", 6), *measures("async", 12))
