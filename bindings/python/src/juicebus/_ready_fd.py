# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How the blocking subscriber waits where nothing comes: on the library's descriptor.

So the library is entered when there is something to take, and not for each slice of a
wait. next: _subscriber_blocking.py
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable

from juicebus._owned_fd import OwnedFd


class ReadyFd:
    """A descriptor that any number of threads wait for; the last one to leave closes it."""

    def __init__(self, open_fd: Callable[[], OwnedFd]) -> None:
        """Prepare to wait; the descriptor is opened by the first who does."""
        self._open_fd = open_fd
        self._fd: OwnedFd | None = None
        self._waiting = 0
        # Of threads that have waited, for those to come.
        self._polls: list[select.poll] = []
        self._closed = False
        # Reentrant: a signal handler may close what it has interrupted.
        self._lock = threading.RLock()

    def wait(self, ms: int) -> bool:
        """Wait until it is readable, closed, or the time is up; tell whether one of the first.

        Raises:
            SystemFault: No descriptor is left to wait on.
        """
        counted = False
        try:
            with self._lock:
                if self._closed:
                    return True
                poll = self._polls.pop() if self._polls else self._new_poll()
                self._waiting += 1
                counted = True
            return bool(poll.poll(ms))
        finally:
            if counted:
                with self._lock:
                    self._polls.append(poll)
                    self._waiting -= 1
                    self._close_if_unused()

    def close(self) -> None:
        """Let nobody wait any more. The library has made it readable for those who do."""
        with self._lock:
            self._closed = True
            self._close_if_unused()

    def forget_in_child(self) -> None:
        """Close it in a forked child, where nobody waits and the lock may be held for ever."""
        self._lock, self._waiting = threading.RLock(), 0
        self.close()

    def _new_poll(self) -> select.poll:
        if self._fd is None:
            self._fd = self._open_fd()
        poll = select.poll()
        poll.register(self._fd.fd, select.POLLIN)
        return poll

    def _close_if_unused(self) -> None:
        if self._closed and not self._waiting and self._fd is not None:
            self._fd.close()
