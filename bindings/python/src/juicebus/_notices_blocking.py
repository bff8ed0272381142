# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The notices of a blocking twin: an iterator that blocks for the next one."""

from __future__ import annotations

import select
from collections.abc import Iterator

from juicebus._errors import ClosedError
from juicebus._notices import Notice, Noticer, NoticesShared
from juicebus._owned_fd import OwnedFd, fd_of
from juicebus._timeout import POLL_SLICE_MS


class NoticesBlocking(NoticesShared, Iterator[Notice]):
    """Goes on until the publisher or subscriber is closed. Any thread may ask for the next."""

    def __init__(self, owner: Noticer) -> None:
        """Take notices of this object; does not wait."""
        super().__init__(owner)
        self._fd: OwnedFd | None = None

    def __next__(self) -> Notice:
        """Return the next notice; blocks until there is one, stops when closed."""
        try:
            while (notice := self._take()) is None:
                self._wait()
        except ClosedError:
            raise StopIteration from None
        return notice

    def _wait(self) -> None:
        if self._fd is None:
            lib = self._owner._lib
            self._fd = fd_of(lib.juicebus_next_notice_fd, self._owner._handle, self._asked)
        # One of its own for each wait: two threads cannot poll with the same.
        poll = select.poll()
        poll.register(self._fd.fd, select.POLLIN)
        poll.poll(POLL_SLICE_MS)
