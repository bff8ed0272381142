# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A stream at full speed that overruns nobody, the same for every peer.

At most a window of events is under way: the subscriber writes a byte into a pipe for each
chunk of events that it has had, and the publisher reads it before it sends one more chunk.
Juice has a smaller window, since its queues hold 1,000 events, drop beyond that without a
word, and learn of room in steps of half of it: 500 are safe. Events are numbered, and the
subscriber checks each number, so that a loss ends the run. What is compared is CPU time of
whole processes, and the rate at the subscriber.

The stream begins with probes, which the publisher repeats until the first byte comes back:
Juice cannot say when a subscription is live. next: publishing.py, receiving.py
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from reading import payload_of

WINDOW = 5000
WINDOW_OF_JUICE = 500
CHUNKS_IN_WINDOW = 10
PROBE = 999
FIRST = 1000
NUMBER_OF_PAYLOAD = {payload_of(n): n for n in (PROBE, *range(FIRST, FIRST + WINDOW))}.__getitem__
PROBE_EACH_S = 0.01
WARM_UP_S = 0.2
MEASURED_S = 1.0


def chunks_of(window: int) -> list[range]:
    """Return the numbers of a window of events, in chunks; they are repeated for ever."""
    chunk = window // CHUNKS_IN_WINDOW
    return [range(at, at + chunk) for at in range(FIRST, FIRST + window, chunk)]


class LostError(Exception):
    """An event did not come, or not in its turn."""


@dataclass(frozen=True)
class Sender:
    """How a peer publishes: a call for one item, or for many."""

    send: Callable[[Any], Any]
    is_async: bool = False
    is_many: bool = False

    async def send_all(self, items: Sequence[Any]) -> None:
        """Send a chunk."""
        send = self.send
        if self.is_many:
            if self.is_async:
                await send(items)
            else:
                send(items)
        elif self.is_async:
            for item in items:
                await send(item)
        else:
            for item in items:
                send(item)


@dataclass(frozen=True)
class Receiver:
    """How a peer receives: a call for one item, or for up to so many."""

    get: Callable[..., Any]
    number_of: Callable[[Any], int]
    is_async: bool = False
    is_many: bool = False

    async def get_one(self) -> int:
        """Return the number of the next item."""
        got = self.get(1) if self.is_many else self.get()
        if self.is_async:
            got = await got
        return self.number_of(got[0] if self.is_many else got)

    async def get_all(self, numbers: Sequence[int]) -> None:
        """Receive a chunk, which must have these numbers."""
        get, number_of = self.get, self.number_of
        if self.is_many:
            left = list(numbers)
            while left:
                items = get(len(left))
                if self.is_async:
                    items = await items
                for number, item in zip(left, items, strict=False):
                    if number_of(item) != number:
                        raise LostError(number)
                del left[: len(items)]
        elif self.is_async:
            for number in numbers:
                if number_of(await get()) != number:
                    raise LostError(number)
        else:
            for number in numbers:
                if number_of(get()) != number:
                    raise LostError(number)


def expect(number: int, found: int) -> None:
    """Raise if an item has another number than the next one."""
    if found != number:
        raise LostError(f"{found} came instead of {number}")


class Clock:
    """The CPU time of this process and the time, since they were last asked for."""

    def __init__(self) -> None:
        """Start now."""
        self.restart()

    def restart(self) -> None:
        """Start now."""
        self._began_s, self._cpu_s = time.perf_counter(), cpu_s()

    def elapsed_s(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._began_s

    def figures(self, events: int) -> dict[str, float]:
        """Return the rate and the CPU time of each event."""
        return {
            "events_per_s": events / self.elapsed_s(),
            "cpu_us": (cpu_s() - self._cpu_s) / events * 1e6,
        }

    def percent_of_a_core(self) -> float:
        """Return the CPU time as a part of the time."""
        return 100 * (cpu_s() - self._cpu_s) / self.elapsed_s()


def cpu_s() -> float:
    """Return the CPU time that all threads of this process have used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Credits:
    """The publisher's end of the pipe: how many chunks it may send."""

    def __init__(self, fd: int) -> None:
        """Start with a whole window."""
        os.set_blocking(fd, False)
        self._fd = fd
        self._left = CHUNKS_IN_WINDOW

    async def take(self) -> bool:
        """Wait until one more chunk may be sent; False when the subscriber has ended."""
        while self._left == 0:
            if not await self._more(None):
                return False
        self._left -= 1
        return True

    async def probed(self) -> bool:
        """Wait a moment for the first byte, which says that probes arrive."""
        try:
            if not await self._more(PROBE_EACH_S):
                raise LostError("the subscriber has ended before the stream began")
        except asyncio.TimeoutError:
            return False
        self._left = CHUNKS_IN_WINDOW
        return True

    async def _more(self, timeout: float | None) -> bool:
        """Read what has come; wait if nothing has."""
        try:
            acks = os.read(self._fd, 1000)
        except BlockingIOError:
            await self._readable(timeout)
            acks = os.read(self._fd, 1000)
        self._left += len(acks)
        return bool(acks)

    async def _readable(self, timeout: float | None) -> None:
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            loop.remove_reader(self._fd)
            readable.set_result(None)

        loop.add_reader(self._fd, tell)
        try:
            await asyncio.wait_for(readable, timeout)
        finally:
            loop.remove_reader(self._fd)


async def publish_stream(
    sender: Sender, item_of: Callable[[int], Any], window: int, credits_fd: int
) -> dict[str, float]:
    """Publish until the subscriber ends; return what it cost."""
    chunks = [[item_of(number) for number in chunk] for chunk in chunks_of(window)]
    probe, credits = [item_of(PROBE)], Credits(credits_fd)
    await sender.send_all(probe)
    while not await credits.probed():
        await sender.send_all(probe)
    clock, events, warm = Clock(), 0, False
    for items in cycle(chunks):
        if not await credits.take():
            break
        if not warm and clock.elapsed_s() > WARM_UP_S:
            warm, events = True, 0
            clock.restart()
        await sender.send_all(items)
        events += len(items)
    return clock.figures(events)


async def receive_stream(receiver: Receiver, window: int, acks_fd: int) -> dict[str, float]:
    """Receive for a while; return how fast that was, and what it cost."""
    chunks = chunks_of(window)
    expect(PROBE, await receiver.get_one())
    os.write(acks_fd, b".")
    while (number := await receiver.get_one()) == PROBE:
        pass
    expect(FIRST, number)
    await receiver.get_all(chunks[0][1:])
    os.write(acks_fd, b".")
    clock, events, warm = Clock(), 0, False
    for numbers in cycle(chunks[1:] + chunks[:1]):
        await receiver.get_all(numbers)
        os.write(acks_fd, b".")
        events += len(numbers)
        if not warm and clock.elapsed_s() > WARM_UP_S:
            warm, events = True, 0
            clock.restart()
        elif warm and clock.elapsed_s() > MEASURED_S:
            break
    return clock.figures(events)
