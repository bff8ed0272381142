# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Waiting for events in an asyncio event loop: _subscriber.py with get and its kin.

next: _subscriber_async.py
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from juicebus import _process
from juicebus._confirmation import confirmed
from juicebus._counts import PREFETCH_EVENTS, checked_max
from juicebus._errors import ClosedError, DecodeError
from juicebus._event import EventType
from juicebus._notices_async import NoticesAsync
from juicebus._owned_fd import fd_of
from juicebus._polling import poll
from juicebus._readable import Readable
from juicebus._subscriber import SubscriberShared
from juicebus._timeout import deadline, described, left, passed

if TYPE_CHECKING:
    from typing_extensions import Self

# A get that always finds an event lets the loop's other tasks run this often.
_GREED_S = 0.001


class EventsAsync(SubscriberShared[EventType]):
    """A subscriber whose waits are awaited."""

    def __init__(self, uri: str, options: ctypes.Structure) -> None:
        """Open the subscriber; does not wait."""
        super().__init__(uri, options)
        self._readable = self._new_readable()
        self._yield_at = 0.0
        _process.track(self)

    async def get(self, timeout: float | None = None) -> EventType:
        """Return the next event; waits until there is one.

        Args:
            timeout: Seconds; None for ever, 0 does not wait.

        Raises:
            TimeoutError: None came within the time.
            DecodeError: One came that cannot be decoded; the next get gets the next one.
            ClosedError: The subscriber is closed, or was closed meanwhile.
            InvalidError: The timeout is negative or NaN.
        """
        limit = None if timeout is None else deadline(timeout)
        if time.monotonic() >= self._yield_at:
            await self._let_others_run()
        # Where events are rare, looking before waiting would only cost a crossing.
        looks = self._flows
        try:
            while (event := self._next()) is None:
                if (looks or passed(limit)) and self._fill(PREFETCH_EVENTS, 0):
                    continue
                await self._wait(limit, timeout)
                looks = True
        finally:
            self._pass_on()
        return event

    async def get_many(self, max_events: int, timeout: float | None = None) -> list[EventType]:
        """Return at least one and at most max_events events; waits until there is one.

        It waits for the first and takes what else is there. Those before an event that
        cannot be decoded are returned; the next call raises the DecodeError.

        Raises:
            TimeoutError, DecodeError, ClosedError, InvalidError: As get.
        """
        limit = deadline(timeout)
        events_max = checked_max(max_events)
        if time.monotonic() >= self._yield_at:
            await self._let_others_run()
        try:
            while not (events := self._collect(events_max)):
                await self._wait(limit, timeout)
        finally:
            self._pass_on()
        return events

    async def ready(self, timeout: float | None = 5.0) -> bool:
        """Wait until the subscriptions made so far are live.

        Returns:
            True when the proxy has confirmed it: no event that is published from then on
            is missed unnoticed. False if this is a legacy proxy, which cannot (after
            1 s). Events that come meanwhile are kept.

        Raises:
            TimeoutError: There was no proxy, or no answer, within the time.
            ClosedError, InvalidError: As get.
        """
        status = await poll(
            lambda ms: self._lib.juicebus_subscriber_ready(self._handle, ms), deadline(timeout)
        )
        return confirmed(status, "ready", self, timeout)

    def notices(self) -> NoticesAsync:
        """Return an async iterator of what happens to the connection; it ends at close.

        Each notice goes to one of those who ask; the latest 64 are kept.
        """
        return NoticesAsync(self)

    def close(self) -> None:
        """Close the subscriber: whoever waits in it gets ClosedError. Does not wait.

        Events that no get has returned are gone. A second time does nothing.
        """
        super().close()
        self._readable.close()

    def _forget_in_child(self) -> None:
        """Drop what a forked child must not use; called there only."""
        super()._forget_in_child()
        self._readable.forget_in_child()
        self._readable = self._new_readable()
        # A get looks before it waits: the library says that this is a child, where asyncio
        # knows of no running loop.
        self._flows = True

    def __aiter__(self) -> AsyncIterator[EventType]:
        """Return itself."""
        return self

    async def __anext__(self) -> EventType:
        """Return the next event that can be decoded; stop when closed."""
        while True:
            try:
                return await self.get()
            except DecodeError as exc:
                self._tell_skipped(exc)
            except ClosedError:
                raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    async def _wait(self, limit: float | None, timeout: float | None) -> None:
        if passed(limit):
            raise TimeoutError(f"get: no event within {described(timeout)} from {self._uri}")
        await self._readable.wait(left(limit))
        self._yield_at = time.monotonic() + _GREED_S

    async def _let_others_run(self) -> None:
        await asyncio.sleep(0)
        self._yield_at = time.monotonic() + _GREED_S

    def _pass_on(self) -> None:
        """Wake the next task for the events that this one has taken ahead."""
        if self._prefetched and self._readable.has_waiters():
            self._readable.wake(1)

    def _new_readable(self) -> Readable:
        asked = f"get from {self._uri}"
        # No reference to self: a subscriber that is dropped is closed at once.
        readable = Readable(
            partial(fd_of, self._lib.juicebus_subscriber_fd, self._handle, asked),
            asked,
            is_ready=self._prefetched.__len__,
            wakes=1,
            stays=True,
        )
        # A child has the same epoll as this process.
        _process.track_before_fork(readable)
        return readable
