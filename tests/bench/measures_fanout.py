# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What an event costs where many subscribe, to many things, or publish on many keys.

All through juicebus-proxy, with publishers and subscribers of libjuicebus in C, which
have their losses counted.
"""

from __future__ import annotations

from collections.abc import Callable

from measure import Measure, Target
from native.flow import Cell, Flow, peers

# Proxy, and the program of both sides.
BUS = ("juicebus", "bus")
SUBSCRIBERS = {
    "1 subscriber": (*BUS, Cell(events=300_000, subscribers=1, window=50_000, batch=100)),
    "100 subscribers": (*BUS, Cell(events=15_000, subscribers=100, window=50_000, batch=100)),
}
ONE = "1 filter, 1 key"
MANY = {
    ONE: (*BUS, Cell(filters=1, keys=1)),
    "10,000 filters, 1 key": (*BUS, Cell(filters=10_000, keys=1)),
    "1 filter, 10,000 keys": (*BUS, Cell(filters=0, keys=10_000)),
    "10,000 filters, 10,000 keys": (*BUS, Cell(filters=10_000, keys=10_000)),
}
# A cost linear in filters or keys would be thousands; what a table of 10,000 entries
# that does not fit into the nearest cache adds is less than the event itself.
MANY_AT_MOST = 2.0


def _many(who: str, figure: Callable[[Flow], float]) -> Measure:
    return Measure(
        name=f"many-{who}",
        title=f"many filters and keys, CPU of the {who} per event",
        how=f"One publisher goes through its keys in turn, one subscriber holds a filter for "
        f"each key, or one for all; the CPU time of the {who}'s process. Losses are counted.",
        unit="µs CPU/event",
        peers=peers(MANY, figure),
        targets=tuple(Target(name, ONE, at_most=MANY_AT_MOST) for name in MANY if name != ONE),
    )


MEASURES = (
    Measure(
        name="fanout",
        title="fan-out, CPU of the proxy per delivery",
        how="The CPU time of juicebus-proxy, over the events that its subscribers received.",
        unit="µs CPU/delivery",
        peers=peers(SUBSCRIBERS, lambda f: f.proxy_us),
        targets=(Target("100 subscribers", "1 subscriber", at_most=1.3),),
    ),
    _many("proxy", lambda f: f.proxy_us),
    _many("subscriber", lambda f: f.subscriber_us),
    _many("publisher", lambda f: f.publisher_us),
)
