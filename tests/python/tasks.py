# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Tasks that tests of the asyncio twins start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import juicebus
from events import Probe


async def live(publisher: Any, subscriber: Any) -> None:
    """Subscribe to Probe, and return when publisher and subscriber are both connected."""
    subscriber.subscribe(Probe)
    await publisher.wait_connected()
    assert await subscriber.ready()


@asynccontextmanager
async def connected(
    proxy: juicebus.Proxy, *event_types: type[Any]
) -> AsyncIterator[tuple[juicebus.PublisherAsync, juicebus.SubscriberAsync[Any]]]:
    """Open both ends, subscribed to these types and to Probe, and yield them when they are live."""
    async with (
        juicebus.PublisherAsync(proxy.pub_uri) as publisher,
        juicebus.SubscriberAsync[Any](proxy.sub_uri) as subscriber,
    ):
        for event_type in event_types:
            subscriber.subscribe(event_type)
        await live(publisher, subscriber)
        yield publisher, subscriber


async def waiting(*coroutines: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    """Start tasks, and return when each has come to its first wait."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    return tasks
