# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The file descriptor behind fileno(): readable while an event waits, here or in the library.

Events that Python has taken ahead do not show on the library's descriptor. An epoll holds
that one and an eventfd, which is set exactly while such events are there.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque

from juicebus._batch import Raw
from juicebus._owned_fd import OwnedFd


class Watch:
    """A descriptor that is readable while the library's is, or while raws holds something."""

    def __init__(self, fd: OwnedFd, raws: deque[Raw]) -> None:
        """Watch the library's descriptor and a deque, whose owner calls update()."""
        self._fd = fd
        self._raws = raws
        self._event = OwnedFd(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))
        self._epoll = select.epoll()
        self._epoll.register(self._fd.fd, select.EPOLLIN)
        self._epoll.register(self._event.fd, select.EPOLLIN)
        self._is_set = False
        self._lock = threading.RLock()
        self.update()

    def fileno(self) -> int:
        """Return the descriptor; it stays this object's."""
        return self._epoll.fileno()

    def update(self) -> None:
        """Follow the deque. Called after each change of it, by any thread."""
        # Whoever changed it last looks at it last, so the last look is true.
        with self._lock:
            if self._epoll.closed or self._is_set == bool(self._raws):
                return
            self._is_set = not self._is_set
            if self._is_set:
                os.eventfd_write(self._event.fd, 1)
            else:
                os.eventfd_read(self._event.fd)

    def close(self) -> None:
        """Close what is open. A second time does nothing."""
        with self._lock:
            self._epoll.close()
            self._event.close()
            self._fd.close()
