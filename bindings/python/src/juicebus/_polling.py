# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How the asyncio twins wait for what has no descriptor: being ready, flushed, handed over.

These happen once in a while, not once an event, so looking every 10 ms costs nothing.
"""

from __future__ import annotations

import asyncio

from juicebus._attempt import RETRY, Attempt
from juicebus._timeout import left, passed

_INTERVAL_S = 0.01


async def poll(call: Attempt, limit: float | None) -> int:
    """Repeat a call that does not wait until it has an outcome or the deadline has passed."""
    while True:
        status = call(0)
        if status not in RETRY or passed(limit):
            return status
        seconds = left(limit)
        await asyncio.sleep(_INTERVAL_S if seconds is None else min(_INTERVAL_S, seconds))
