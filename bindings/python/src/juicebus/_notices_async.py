# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The notices of an asyncio twin: an async iterator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from juicebus._errors import ClosedError
from juicebus._notices import Notice, Noticer, NoticesShared
from juicebus._owned_fd import fd_of
from juicebus._readable import Readable


class NoticesAsync(NoticesShared, AsyncIterator[Notice]):
    """Goes on until the publisher or subscriber is closed. Any task may ask for the next."""

    def __init__(self, owner: Noticer) -> None:
        """Take notices of this object; does not wait."""
        super().__init__(owner)
        self._readable = Readable(
            partial(fd_of, owner._lib.juicebus_next_notice_fd, owner._handle, self._asked),
            self._asked,
            is_ready=lambda: False,
            wakes=1,
        )

    async def __anext__(self) -> Notice:
        """Return the next notice; waits until there is one, stops when closed."""
        try:
            while (notice := self._take()) is None:
                await self._readable.wait(None)
        except ClosedError:
            raise StopAsyncIteration from None
        return notice
