# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Python to Python at full speed, decoded events: the rate, and what get and publish cost."""

from __future__ import annotations

from functools import partial
from typing import Any

from bench import Bench
from measure import Measure, Target
from stream import WINDOW, WINDOW_OF_JUICE

# What each peer calls itself: its module, whether it takes events one by one, and its window.
PEERS = {
    "juicebus": ("juicebus", "one", WINDOW),
    "juicebus, batches": ("juicebus", "many", WINDOW),
    "Juice": ("juice", "one", WINDOW_OF_JUICE),
}
OURS = ("juicebus", "juicebus, batches")


def stream(bench: Bench, twin: str, peer: str) -> dict[str, Any]:
    """Return what a publisher and a subscriber of one peer, through its own proxy, measure."""
    module, unit, window = PEERS[peer]

    def run() -> dict[str, Any]:
        how = (module, twin, unit, "event", window)
        with bench.broker(module) as (pub, sub):
            published, received = bench.pair((*how, pub), (*how, sub))
        return {"publish": published, "get": received}

    found: dict[str, Any] = bench.once(("stream", twin, peer), run)
    return found


def rate(twin: str, peer: str, bench: Bench) -> float:
    return float(stream(bench, twin, peer)["get"]["events_per_s"])


def get_cost(twin: str, peer: str, bench: Bench) -> float:
    return float(stream(bench, twin, peer)["get"]["cpu_us"])


def publish_cost(twin: str, peer: str, bench: Bench) -> float:
    """Publish to the same subscriber, through the same proxy, whoever publishes."""
    module, unit, window = PEERS[peer]
    with bench.broker("juicebus") as (pub, sub):
        published, _ = bench.pair(
            (module, twin, unit, "event", window, pub),
            ("juicebus", "blocking", "many", "event", window, sub),
        )
    return float(published["cpu_us"])


def measures(twin: str, get_gain: float) -> tuple[Measure, ...]:
    return (
        Measure(
            name=f"throughput-{twin}",
            title=f"Python to Python, {twin}",
            how="A process publishes ready events, another gets and decodes them, each peer "
            "through its own proxy; the publisher is at most 5,000 events ahead, none is lost "
            "(500 with Juice, which drops beyond 1,000). Batches: publish_many and get_many, 500 "
            "events each.",
            unit="events/s",
            peers={peer: partial(rate, twin, peer) for peer in PEERS},
            # A user who wants speed takes batches.
            targets=(Target("juicebus, batches", "Juice", at_least=10),),
            more_is_better=True,
        ),
        Measure(
            name=f"get-{twin}",
            title=f"get at full speed, {twin}",
            how="The CPU time of the subscriber's process in the same runs.",
            unit="µs CPU/event",
            peers={peer: partial(get_cost, twin, peer) for peer in PEERS},
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
