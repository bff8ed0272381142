# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A process that forks with a live publisher and subscriber; its child calls them.

    python forking.py juicebus|juice os.fork|multiprocessing|asyncio PUB_URI SUB_URI

Prints in JSON what each call of the child ended with and the seconds it took, how the child
ended, and whether the parent could still exchange an event.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import multiprocessing
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

import sides
from events import Numbered, Temperature

# A child that has not ended by then hangs.
CHILD_TIMEOUT_S = 4.0


def calls(publisher: Any, subscriber: Any) -> dict[str, Callable[[], Any]]:
    """Return the calls of a publisher and a subscriber, as far as they have them."""
    every: dict[str, tuple[Any, Callable[[], Any]]] = {
        "publish": (publisher, lambda: publisher.publish(Numbered(number=2))),
        "publish_many": (publisher, lambda: publisher.publish_many([Numbered(number=2)])),
        "flush": (publisher, lambda: publisher.flush()),
        "subscribe": (subscriber, lambda: subscriber.subscribe(Temperature)),
        "ready": (subscriber, lambda: subscriber.ready()),
        "get_many": (subscriber, lambda: subscriber.get_many(1, 1)),
        "get": (subscriber, lambda: subscriber.get(1)),
    }
    return {name: call for name, (owner, call) in every.items() if hasattr(owner, name)}


class Child:
    """What the forked child does, and how it tells its parent."""

    def __init__(self, publisher: Any, subscriber: Any) -> None:
        self._calls = calls(publisher, subscriber)
        self._reading, self._writing = os.pipe()

    async def run(self) -> None:
        """Make each call, in the child, and tell how it ended."""
        for name, call in self._calls.items():
            began = time.monotonic()
            try:
                result = call()
                if inspect.isawaitable(result):
                    await result
                end = "returned"
            except Exception as error:
                end = type(error).__name__
            told = {"call": name, "end": end, "seconds": time.monotonic() - began}
            os.write(self._writing, json.dumps(told).encode() + b"\n")

    def told(self) -> list[dict[str, Any]]:
        """Return, in the parent after the child's end, what the child told."""
        os.close(self._writing)
        with open(self._reading, "rb") as lines:
            return [json.loads(line) for line in lines]


def end_of(pid: int) -> str:
    """Wait for a child and return how it ended; one that hangs is killed."""
    watched = os.pidfd_open(pid)
    hangs = not select.select([watched], [], [], CHILD_TIMEOUT_S)[0]
    os.close(watched)
    if hangs:
        os.kill(pid, 9)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return "hangs" if hangs else f"exit {code}"


def fork(child: Child) -> str:
    """Fork; the child ends as any program does, with everything open."""
    pid = os.fork()
    if pid == 0:
        asyncio.run(child.run())
        sys.exit()
    return end_of(pid)


def fork_by_multiprocessing(child: Child) -> str:
    """Fork as multiprocessing does."""
    process = multiprocessing.get_context("fork").Process(target=lambda: asyncio.run(child.run()))
    process.start()
    process.join(CHILD_TIMEOUT_S)
    end = "hangs" if process.exitcode is None else f"exit {process.exitcode}"
    process.kill()
    return end


async def exchanged(publisher: Any, waiting: asyncio.Future[Any]) -> bool:
    """Publish until a waiting get has returned, and return whether it has."""
    deadline = time.monotonic() + CHILD_TIMEOUT_S
    while not waiting.done() and time.monotonic() < deadline:
        await publisher.publish(Numbered(number=1))
        await asyncio.wait([waiting], timeout=0.05)
    return waiting.done()


async def fork_in_a_loop(side: sides.Side, pub_uri: str, sub_uri: str) -> dict[str, Any]:
    """Fork inside a running loop, while a task waits in a get."""
    publisher, subscriber = side.publisher_async(pub_uri), side.subscriber_async(sub_uri)
    subscriber.subscribe(Numbered)
    # After one event that came alone, a get waits before it looks.
    await exchanged(publisher, asyncio.ensure_future(subscriber.get()))
    waiting = asyncio.ensure_future(subscriber.get())
    await asyncio.wait([waiting], timeout=0)
    child = Child(publisher, subscriber)
    pid = os.fork()
    if pid == 0:
        await child.run()
        os._exit(0)
    outcome = {"child": end_of(pid), "calls": child.told()}
    return {**outcome, "parent": await exchanged(publisher, waiting)}


def fork_without_a_loop(
    side: sides.Side, way: Callable[[Child], str], pub_uri: str, sub_uri: str
) -> dict[str, Any]:
    """Fork a process that uses the blocking classes."""
    publisher, subscriber = side.publisher(pub_uri), side.subscriber(sub_uri)
    subscriber.subscribe(Numbered)
    sides.until_live(publisher.publish, subscriber)
    child = Child(publisher, subscriber)
    outcome = {"child": way(child), "calls": child.told()}
    publisher.publish(Numbered(number=1))
    return {**outcome, "parent": bool(sides.taken(subscriber, CHILD_TIMEOUT_S))}


def main(side_name: str, way: str, *uris: str) -> None:
    """Fork and print what came of it."""
    side = sides.side_named(side_name)
    if way == "asyncio":
        outcome = asyncio.run(fork_in_a_loop(side, *uris))
    else:
        ways = {"os.fork": fork, "multiprocessing": fork_by_multiprocessing}
        outcome = fork_without_a_loop(side, ways[way], *uris)
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])
