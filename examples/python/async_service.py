# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""An asyncio Python service: one task publishes, another one receives.

    async_service.py PUBLISHER_URI SUBSCRIBER_URI [NAME …]

It publishes its state, a class of Juice, every 50 ms, and prints `got <name>
<topic>` for each event that it receives (without names: of all types), until its
standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from orangeqs.juice.task_manager._schemas import IPythonServiceState

from events import EVENT_TYPES
from juicebus import PublisherAsync, SubscriberAsync

SERVICE = "python-async"


async def receive(subscriber: SubscriberAsync[Any]) -> None:
    """Print what comes; the iteration ends when the subscriber is closed."""
    async for event in subscriber:
        print("got", event.name(), event.topic() or "", flush=True)


async def publish(publisher: PublisherAsync) -> None:
    """Publish the state every 50 ms, for ever."""
    while True:
        await publisher.publish(IPythonServiceState(service=SERVICE, state="busy"))
        await asyncio.sleep(0.05)


async def input_end() -> None:
    """Wait until standard input ends, without blocking the event loop."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    loop.remove_reader(sys.stdin)


async def main(publisher_uri: str, subscriber_uri: str, *names: str) -> None:
    """Run the service."""
    async with (
        PublisherAsync(publisher_uri) as publisher,
        SubscriberAsync[Any](subscriber_uri) as subscriber,
    ):
        for event_type in EVENT_TYPES:
            if not names or event_type.name() in names:
                subscriber.subscribe(event_type)
        tasks = [
            asyncio.create_task(part)
            for part in (receive(subscriber), publish(publisher), input_end())
        ]
        # Whichever ends first: the input, or a part that went wrong.
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.wait(rest)
        for task in done:
            task.result()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
