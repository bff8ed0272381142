# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""SubscriberAsync: _events_async.py, and what Juice has deprecated.

That is a queue that listen() fills until stop(), kept so that services written for it go
on working; get() replaces it.
"""

from __future__ import annotations

import asyncio
import sys
import time
import warnings

from typing_extensions import deprecated

from juicebus._errors import ClosedError, DecodeError
from juicebus._event import EventType
from juicebus._events_async import EventsAsync
from juicebus._log import logger
from juicebus._options import OverflowOfSubscriber, subscriber_options

_QUEUE_DEPRECATED = "the queue of an async subscriber is deprecated, use get()"
_LISTEN_DEPRECATED = "listen() and stop() of an async subscriber are deprecated, use get()"


class SubscriberAsync(EventsAsync[EventType]):
    """Receives events, in an asyncio event loop.

    Several tasks may wait at once; each event goes to one of them. A get that is
    cancelled loses no event. The same subscriber may be used by one event loop after
    another, and its methods by any thread. ``async for event in subscriber`` goes on
    until the subscriber is closed. It skips and counts what cannot be decoded, and logs a
    warning the first time.
    """

    def __init__(
        self,
        uri: str,
        *,
        queue: asyncio.Queue[EventType] | None = None,
        max_events: int | None = None,
        max_bytes: int | None = None,
        max_event_bytes: int | None = None,
        overflow: OverflowOfSubscriber = "drop_oldest",
        heartbeat: float | None = 1.0,
    ) -> None:
        """Open a subscriber of a proxy. Does not wait: it connects in the background.

        Args:
            uri: The proxy's subscriber side, such as "tcp://127.0.0.1:5123".
            queue: Deprecated: where listen() puts events.
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
        self._queue: asyncio.Queue[EventType] = asyncio.Queue() if queue is None else queue
        self._listening = False
        if queue is not None:
            warnings.warn(_QUEUE_DEPRECATED, DeprecationWarning, stacklevel=2)

    @property
    def queue(self) -> asyncio.Queue[EventType]:
        """The queue that listen() fills. Deprecated: use get()."""
        # isinstance() with a runtime-checkable protocol reads every attribute.
        caller = sys._getframe(1).f_globals.get("__name__")
        if caller not in ("typing", "typing_extensions"):
            warnings.warn(_QUEUE_DEPRECATED, DeprecationWarning, stacklevel=2)
        return self._queue

    @deprecated(_LISTEN_DEPRECATED)
    def stop(self) -> None:
        """End listen(). Deprecated: use get()."""
        self._listening = False
        self._readable.wake()

    @deprecated(_LISTEN_DEPRECATED)
    async def listen(self) -> None:
        """Put events into the queue until stop() or close(). Deprecated: use get().

        Events that cannot be decoded are logged and skipped.

        Raises:
            ClosedError: The subscriber was closed before.
        """
        if self._closed:
            raise ClosedError(f"listen to {self._uri}: closed")
        self._listening = True
        try:
            while self._listening:
                await self._listen_once()
                if time.monotonic() >= self._yield_at:
                    await self._let_others_run()
        except ClosedError:
            return
        finally:
            self._listening = False

    async def _listen_once(self) -> None:
        raw = self._pop()
        if raw is None:
            if not self._fill(1, 0):
                await self._wait(None, None)
            return
        try:
            event = self._decode(raw)
        except DecodeError as exc:
            logger().error("listen skips an event: %s", exc)
            return
        if event is None:
            return
        try:
            await self._queue.put(event)
        except asyncio.CancelledError:
            self._put_back(raw)
            raise
