# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What a proxy forwards at most, between publishers and a subscriber of libzmq in C.

Publishers, proxy and subscriber share the machine's cores, so that the proxy's own CPU
time an event tells more of it than the rate.
"""

from __future__ import annotations

from measure import Measure, Target
from native.flow import Cell, peers

# As a fleet has them: runs of one key would be the easy case for who counts by key.
WIDE = Cell(publishers=2, events=300_000, keys=100)
# Juice's proxy drops what exceeds its queues, 1,000 events each.
NARROW = Cell(publishers=2, events=8_000, keys=100, window=500, batch=64)
# Proxy, the program of both sides, and what they do.
PROXIES = {
    "juicebus-proxy": ("juicebus", "raw", WIDE),
    "zmq_proxy": ("zmq", "raw", WIDE),
    "Juice's proxy": ("juice", "raw", NARROW),
}

MEASURES = (
    Measure(
        name="proxy-throughput",
        title="proxy, events forwarded",
        how="Two publishers and a subscriber in C on libzmq alone, events of 130 bytes on "
        f"{WIDE.keys} keys in turn, the publishers at most {WIDE.window:,} events ahead "
        f"({NARROW.window} with Juice's proxy, which drops beyond 1,000), none lost; "
        "juicebus-proxy counts by key, zmq_proxy does not.",
        unit="events/s",
        peers=peers(PROXIES, lambda f: f.events_per_s),
        targets=(
            Target("juicebus-proxy", "zmq_proxy", at_least=0.9),
            Target("juicebus-proxy", "Juice's proxy", at_least=50),
        ),
        more_is_better=True,
    ),
    Measure(
        name="proxy-cpu",
        title="proxy, CPU per event",
        how="The CPU time of the proxy's process in the same runs.",
        unit="µs CPU/event",
        peers=peers(PROXIES, lambda f: f.proxy_us),
        targets=(),
    ),
)
