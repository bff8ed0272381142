# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How the asyncio twins wait: tasks wait until one of the library's descriptors is readable.

The descriptor is readable as long as something is there, and an event loop would spin that
has it while nobody waits. Waiting tasks are woken, not served: each then takes for itself,
so that cancelling one loses nothing. Several loops, in turn or at once, may wait on one
object. next: _subscriber_async.py, _publisher_async.py
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from juicebus._errors import ClosedError
from juicebus._owned_fd import OwnedFd

_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[bool]"]


class Readable:
    """Lets tasks wait for a descriptor, for wake(), or for a timeout."""

    def __init__(
        self,
        open_fd: Callable[[], OwnedFd],
        asked: str,
        *,
        is_ready: Callable[[], object],
        wakes: int | None,
        stays: bool = False,
    ) -> None:
        """Prepare to wait; the descriptor is opened when somebody waits.

        Args:
            open_fd: Opens the descriptor.
            asked: What is waited for and of whom, for errors.
            is_ready: Tells, without waiting, whether there is a reason not to wait that
                the descriptor does not show.
            wakes: How many tasks the descriptor wakes at a time; None: all.
            stays: A loop keeps the descriptor from one wait to the next, until it is
                readable and nobody waits. For those who wait for each rare event: two
                system calls less. Whoever owns this must then close it.
        """
        self._open_fd = open_fd
        self._is_ready = is_ready
        self._wakes = wakes
        self._asked = asked
        self._stays = stays
        self._fd: OwnedFd | None = None
        self._waiters: deque[_Waiter] = deque()
        # The loops that have the descriptor, and how many tasks of each wait.
        self._waits: dict[asyncio.AbstractEventLoop, int] = {}
        # Of those, the ones that have woken somebody for it, and will find it once more.
        self._woke: set[asyncio.AbstractEventLoop] = set()
        self._closed = False
        self._parent: int | None = None  # of a forked child's copy
        self._lock = threading.RLock()

    async def wait(self, seconds: float | None) -> None:
        """Wait until woken, or until the time is up; None for ever. Look why, afterwards.

        Raises:
            ClosedError: close() was called before.
        """
        loop = asyncio.get_running_loop()
        waiter = (loop, loop.create_future())
        self._enter(waiter)
        timer = None if seconds is None else loop.call_later(seconds, _resolve, waiter[1], False)
        try:
            await waiter[1]
        except asyncio.CancelledError:
            if waiter[1].done() and not waiter[1].cancelled() and waiter[1].result():
                # Woken, then cancelled before it ran: somebody else must look.
                self.wake(1)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            self._leave(waiter)

    def wake(self, count: int | None = None) -> None:
        """Wake the tasks that have waited longest, None: all. Any thread."""
        here = _running_loop()
        while count is None or count > 0:
            try:
                loop, future = self._waiters.popleft()
            except IndexError:
                return
            if loop is here:
                if future.done():
                    continue
                future.set_result(True)
            else:
                try:
                    loop.call_soon_threadsafe(self._wake_or_pass_on, future)
                except RuntimeError:
                    # That loop is closed, and its task gone with it.
                    continue
                if not loop.is_running():
                    continue  # its task may never have its turn
            if count is not None:
                count -= 1

    def has_waiters(self) -> bool:
        """Tell whether a task waits that nobody has woken yet."""
        return bool(self._waiters)

    def close(self) -> None:
        """Wake everybody; the last to leave closes the descriptor. Any thread."""
        with self._lock:
            self._closed = True
            self.rest()
            self._close_if_unused()
        self.wake()

    def rest(self) -> None:
        """Take the descriptor out of the loops in which nobody waits."""
        with self._lock:
            here = _running_loop()
            for loop in [loop for loop, waits in self._waits.items() if not waits]:
                if loop is here or not loop.is_running():
                    self._take_out(loop)
                else:
                    with suppress(RuntimeError):  # closed, and what it had with it
                        loop.call_soon_threadsafe(self._take_out, loop)

    def forget_in_child(self) -> None:
        """Let go of the loops in a forked child, and let those who wait there look."""
        self._lock = threading.RLock()
        self._parent = os.getppid()
        self._waits.clear()
        while self._waiters:
            _, future = self._waiters.popleft()
            with suppress(RuntimeError):  # that loop's thread is not here
                _resolve(future, True)

    def _wake_or_pass_on(self, future: asyncio.Future[bool]) -> None:
        if future.done():  # cancelled meanwhile: somebody else must look
            self.wake(1)
        else:
            future.set_result(True)

    def _enter(self, waiter: _Waiter) -> None:
        loop = waiter[0]
        # Counted before anything is opened: a signal handler may close this in between.
        with self._lock:
            if self._closed:
                raise ClosedError(f"{self._asked}: closed")
            is_new = loop not in self._waits
            self._waits[loop] = self._waits.get(loop, 0) + 1
            try:
                if self._fd is None:
                    self._fd = self._open_fd()
                if is_new:
                    self._forget_closed_loops()
                    loop.add_reader(self._fd.fd, self._on_readable, loop)
            except BaseException:
                self._leave(waiter)
                self._take_out(loop)
                raise
            self._waiters.append(waiter)
        if self._closed or self._is_ready():
            self.wake(1)

    def _leave(self, waiter: _Waiter) -> None:
        loop = waiter[0]
        with self._lock:
            # Asked first: the error of remove() would describe the loop in words, each time.
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            waits = self._waits.get(loop)
            if waits is None:  # closed with this task in it, or a forked child's copy
                return
            self._waits[loop] = waits - 1
            if self._closed or not self._stays:
                self._take_out(loop)

    def _on_readable(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop in self._woke:
            # The loop looked once more before the woken task had its turn.
            self._woke.discard(loop)
            if not self._is_ready():
                return
        if self._waits.get(loop):
            self._woke.add(loop)
            self.wake(self._wakes)
        elif self._parent is None:
            self._take_out(loop)
        elif self._fd is not None and os.getppid() != self._parent:
            # A child has the epoll of its parent: it takes out what that has left to it.
            loop.remove_reader(self._fd.fd)

    def _take_out(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the descriptor out of a loop in which nobody waits; in its thread, if it runs."""
        with self._lock:
            if self._waits.get(loop) != 0:
                return
            del self._waits[loop]
            self._woke.discard(loop)
            # By its own thread it may be closed meanwhile, and says so in many ways.
            with suppress(KeyError, ValueError, RuntimeError):
                if self._fd is not None and not loop.is_closed():
                    loop.remove_reader(self._fd.fd)
            self._close_if_unused()

    def _forget_closed_loops(self) -> None:
        for loop in [loop for loop in self._waits if loop.is_closed()]:
            self._waits[loop] = 0
            self._take_out(loop)

    def _close_if_unused(self) -> None:
        if self._closed and not self._waits and self._fd is not None:
            self._fd.close()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _resolve(future: asyncio.Future[bool], woken: bool) -> None:
    if not future.done():
        future.set_result(woken)
