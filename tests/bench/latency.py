# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures how long the events of ticking.py are under way, and what receiving them costs.

    python latency.py juicebus|juice blocking|async URI

The time is that from before `publish` to the return of `get`, decoded, in microseconds.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import statistics
import sys
import time
from itertools import count

from stream import Receiver, cpu_s, expect

EVENTS = 1000
WARM_UP_EVENTS = 200


async def delays_us(receiver: Receiver, events: int) -> list[float]:
    """Receive events, of which none is missing."""
    get, is_async, delays = receiver.get, receiver.is_async, []
    first = 0
    for number in count():
        event = await get() if is_async else get()
        delays.append((time.monotonic_ns() - event.sent_ns) / 1e3)
        first = first or event.number - number
        expect(first + number, event.number)
        if len(delays) == events:
            break
    return delays


async def main(peer: str, twin: str, uri: str) -> None:
    receiver = await importlib.import_module(f"peer_{peer}").receiver(twin, "one", "event", uri)
    await delays_us(receiver, WARM_UP_EVENTS)
    before = cpu_s()
    delays = await delays_us(receiver, EVENTS)
    cpu_us = (cpu_s() - before) / EVENTS * 1e6
    percentiles = statistics.quantiles(delays, n=100)
    print(json.dumps({"p50": percentiles[49], "p99": percentiles[98], "cpu": cpu_us}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
