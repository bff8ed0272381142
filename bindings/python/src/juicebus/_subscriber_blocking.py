# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""SubscriberBlocking: _subscriber.py, and waiting for events on a descriptor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from juicebus import _process
from juicebus._confirmation import confirmed
from juicebus._counts import PREFETCH_EVENTS, checked_max
from juicebus._errors import ClosedError, DecodeError
from juicebus._event import EventType
from juicebus._options import OverflowOfSubscriber, subscriber_options
from juicebus._owned_fd import fd_of
from juicebus._ready_fd import ReadyFd
from juicebus._slices import repeat
from juicebus._subscriber import SubscriberShared
from juicebus._timeout import POLL_SLICE_MS, SLICE_MS, deadline, described, passed, slice_ms

if TYPE_CHECKING:
    from typing_extensions import Self

    from juicebus._notices_blocking import NoticesBlocking

# After so many slices, 10 s, the library is asked although nothing shows: it may have failed.
_SLICES_UNSEEN = 10


class SubscriberBlocking(SubscriberShared[EventType]):
    """Receives events, and blocks the calling thread while it waits for them.

    Any thread may call any method; each event goes to one of the threads that wait.
    ``for event in subscriber`` goes on until the subscriber is closed. It skips and counts
    what cannot be decoded, and logs a warning the first time.
    """

    def __init__(
        self,
        uri: str,
        *,
        max_events: int | None = None,
        max_bytes: int | None = None,
        max_event_bytes: int | None = None,
        overflow: OverflowOfSubscriber = "drop_oldest",
        heartbeat: float | None = 1.0,
    ) -> None:
        """Open a subscriber of a proxy. Does not wait: it connects in the background.

        Args:
            uri: The proxy's subscriber side, such as "tcp://127.0.0.1:5123".
            max_events: Events that may wait to be taken; 100,000 by default.
            max_bytes: The memory that they may take; 64 MiB by default.
            max_event_bytes: Larger events are dropped and counted; 64 MiB by default.
            overflow: Which event goes when there is no room: "drop_oldest" or
                "drop_newest". They are counted, and one warning of the logger "juicebus"
                says so when it begins.
            heartbeat: Seconds between signs of life that the proxy is asked for; after
                three without an answer the connection is dead and made anew. 0 or None:
                none.

        Raises:
            InvalidError: The URI is malformed, or an option out of range.
            ImportError: The library cannot be loaded.
        """
        options = subscriber_options(
            overflow,
            heartbeat,
            max_events=max_events,
            max_bytes=max_bytes,
            max_event_bytes=max_event_bytes,
        )
        super().__init__(uri, options)
        # Held by the one thread that takes ahead; what it takes, the others in the
        # library do not see.
        self._ahead = threading.Lock()
        self._slices = 0
        # The latest wait has brought an event, and no more: the library waits for the next
        # one, and takes it in the same call. Where nothing comes, its short slices would cost
        # too much; in a flood it would take each event as soon as there is one.
        self._comes = False
        self._ready_fd = ReadyFd(
            partial(fd_of, self._lib.juicebus_subscriber_fd, self._handle, f"get from {uri}")
        )
        _process.track(self)

    def get(self, timeout: float | None = None) -> EventType:
        """Return the next event; blocks until there is one.

        Args:
            timeout: Seconds; None for ever, 0 does not wait.

        Raises:
            TimeoutError: None came within the time.
            DecodeError: One came that cannot be decoded; the next get gets the next one.
            ClosedError: The subscriber is closed, or was closed meanwhile.
            InvalidError: The timeout is negative or NaN.
        """
        limit = None if timeout is None else deadline(timeout)
        while (event := self._next()) is None:
            self._wait(limit, timeout)
        return event

    def get_many(self, max_events: int, timeout: float | None = None) -> list[EventType]:
        """Return at least one and at most max_events events; blocks until there is one.

        It waits for the first and takes what else is there. Those before an event that
        cannot be decoded are returned; the next call raises the DecodeError.

        Raises:
            TimeoutError, DecodeError, ClosedError, InvalidError: As get.
        """
        limit = deadline(timeout)
        events_max = checked_max(max_events)
        while not (events := self._collect(events_max)):
            self._wait(limit, timeout)
        return events

    def ready(self, timeout: float | None = 5.0) -> bool:
        """Wait until the subscriptions made so far are live.

        Returns:
            True when the proxy has confirmed it: no event that is published from then on
            is missed unnoticed. False if this is a legacy proxy, which cannot (after
            1 s). Events that come meanwhile are kept.

        Raises:
            TimeoutError: There was no proxy, or no answer, within the time.
            ClosedError, InvalidError: As get.
        """
        status = repeat(
            lambda ms: self._lib.juicebus_subscriber_ready(self._handle, ms), deadline(timeout)
        )
        return confirmed(status, "ready", self, timeout)

    def notices(self) -> NoticesBlocking:
        """Return an iterator of what happens to the connection; it ends at close.

        It blocks for the next notice. Each notice goes to one of those who ask; the
        latest 64 are kept.
        """
        from juicebus._notices_blocking import NoticesBlocking  # 2 ms, for those who ask

        return NoticesBlocking(self)

    def __iter__(self) -> Iterator[EventType]:
        """Return itself."""
        return self

    def __next__(self) -> EventType:
        """Return the next event that can be decoded; stop when closed."""
        while True:
            try:
                return self.get()
            except DecodeError as exc:
                self._tell_skipped(exc)
            except ClosedError:
                raise StopIteration from None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the subscriber: whoever waits in it gets ClosedError. Does not wait.

        Events that no get has returned are gone. A second time does nothing.
        """
        super().close()
        self._ready_fd.close()

    def _forget_in_child(self) -> None:
        """Drop what a forked child must not use; called there only."""
        super()._forget_in_child()
        self._ready_fd.forget_in_child()

    def _wait(self, limit: float | None, timeout: float | None) -> None:
        ahead = self._ahead.acquire(blocking=False)
        try:
            if self._prefetched:  # by whoever has just released it
                return
            events_max = PREFETCH_EVENTS if ahead else 1
            if self._comes:
                came = self._fill(events_max, slice_ms(limit))
            else:
                # What another thread takes ahead shows nowhere but in the deque.
                longest = POLL_SLICE_MS if ahead else SLICE_MS
                ready = self._ready_fd.wait(slice_ms(limit, longest))
                self._slices += 1
                if not (ready or passed(limit) or self._slices % _SLICES_UNSEEN == 0):
                    return
                came = self._fill(events_max, 0)
            self._comes = came and not self._flows
            if not came and passed(limit) and not self._prefetched:
                raise TimeoutError(f"get: no event within {described(timeout)} from {self._uri}")
        finally:
            if ahead:
                self._ahead.release()
