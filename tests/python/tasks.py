# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Tasks that tests of the asyncio twins start."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from events import Probe
from probing import DEADLINE_S


async def live(publisher: Any, subscriber: Any) -> None:
    """Publish probes until one has arrived and all have been taken."""
    subscriber.subscribe(Probe)
    while True:
        await publisher.publish(Probe())
        try:
            await subscriber.get(0.05)
            break
        except TimeoutError:
            continue
    last = Probe()
    await publisher.publish(last)
    while await subscriber.get(DEADLINE_S) != last:
        pass


async def waiting(*coroutines: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    """Start tasks, and return when each has come to its first wait."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    return tasks
