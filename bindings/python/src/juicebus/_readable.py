# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How the asyncio twins wait: tasks wait until one of the library's descriptors is readable.

The descriptor is in an event loop only while a task of that loop waits: it is readable as
long as something is there, and the loop would spin. Waiting tasks are woken, not served:
each then takes for itself, so that cancelling one loses nothing. Several loops, in turn
or at once, may wait on one object. next: _subscriber_async.py, _publisher_async.py
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

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
    ) -> None:
        """Prepare to wait; the descriptor is opened when somebody waits.

        Args:
            open_fd: Opens the descriptor.
            asked: What is waited for and of whom, for errors.
            is_ready: Tells, without waiting, whether there is a reason not to wait that
                the descriptor does not show.
            wakes: How many tasks the descriptor wakes at a time; None: all.
        """
        self._open_fd = open_fd
        self._is_ready = is_ready
        self._wakes = wakes
        self._asked = asked
        self._fd: OwnedFd | None = None
        self._waiters: deque[_Waiter] = deque()
        self._waits_by_loop: dict[asyncio.AbstractEventLoop, int] = {}
        self._closed = False
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
                    loop.call_soon_threadsafe(_resolve, future, True)
                except RuntimeError:
                    # That loop is closed, and its task gone with it.
                    continue
            if count is not None:
                count -= 1

    def has_waiters(self) -> bool:
        """Tell whether a task waits that nobody has woken yet."""
        return bool(self._waiters)

    def close(self) -> None:
        """Wake everybody; the last to leave closes the descriptor. Any thread."""
        with self._lock:
            self._closed = True
            if self._fd is not None and not self._waits_by_loop:
                self._fd.close()
        self.wake()

    def _enter(self, waiter: _Waiter) -> None:
        loop = waiter[0]
        with self._lock:
            if self._closed:
                raise ClosedError(f"{self._asked}: closed")
            if self._fd is None:
                self._fd = self._open_fd()
            if loop not in self._waits_by_loop:
                loop.add_reader(self._fd.fd, self.wake, self._wakes)
            self._waits_by_loop[loop] = self._waits_by_loop.get(loop, 0) + 1
            self._waiters.append(waiter)
        if self._is_ready():
            self.wake(1)

    def _leave(self, waiter: _Waiter) -> None:
        loop = waiter[0]
        with self._lock:
            try:
                self._waiters.remove(waiter)
            except ValueError:
                pass
            self._waits_by_loop[loop] -= 1
            if self._waits_by_loop[loop]:
                return
            del self._waits_by_loop[loop]
            if self._fd is None:
                return
            if not loop.is_closed():
                loop.remove_reader(self._fd.fd)
            if self._closed and not self._waits_by_loop:
                self._fd.close()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _resolve(future: asyncio.Future[bool], woken: bool) -> None:
    if not future.done():
        future.set_result(woken)
