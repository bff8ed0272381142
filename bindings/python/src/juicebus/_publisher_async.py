# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""PublisherAsync: _publisher.py, and waiting for room in an asyncio event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from juicebus import _process
from juicebus._confirmation import confirmed
from juicebus._errors import Status
from juicebus._event import EventLike
from juicebus._library import check
from juicebus._owned_fd import fd_of
from juicebus._polling import poll
from juicebus._publisher import RETRY, Attempt, Many, PublisherShared
from juicebus._readable import Readable
from juicebus._timeout import deadline, left, passed

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

# A publish that never has to wait lets the event loop's other tasks run this often, in
# publishes: about once a millisecond.
_GREED_EVENTS = 64


class PublisherAsync(PublisherShared):
    """Publishes events, in an asyncio event loop.

    Several tasks may publish at once. The same publisher may be used by one event loop
    after another. An event that was published is on its way or in the publisher's queue;
    aclose() hands the queue to the network.
    """

    def __init__(
        self,
        uri: str,
        bind: bool = False,
        *,
        codec: str | None = None,
        max_events: int | None = None,
        max_event_bytes: int | None = None,
    ) -> None:
        """Open a publisher to a proxy. Does not wait: it connects in the background.

        Args:
            uri: The proxy's publisher side, such as "tcp://127.0.0.1:5122".
            bind: Listen at the URI instead, for subscribers that connect directly.
            codec: "cbor", or "json" while the fleet has members that cannot read CBOR.
                None: the environment variable JUICEBUS_CODEC, else "cbor".
            max_events: Events queued towards the network; 100,000 by default.
            max_event_bytes: Larger events are refused; 64 MiB by default.

        Raises:
            InvalidError: The URI is malformed, an option out of range, or no such codec.
            SystemFault: With bind: the address is taken.
            ImportError: The library cannot be loaded.
        """
        super().__init__(uri, bind, codec, max_events, max_event_bytes)
        self._readable = self._new_readable()
        self._since_yield = 0
        _process.track(self)

    async def publish(self, event: EventLike, timeout: float | None = 5.0) -> None:
        """Publish an event; waits while there is no proxy yet or the queue is full.

        Args:
            event: An object with name() and topic() that is a pydantic model, or has
                frames of its own by to_msg().
            timeout: Seconds; None for ever, 0 does not wait.

        Raises:
            NotConnectedError: There was never a proxy within the time.
            TimeoutError: The queue stayed full.
            InvalidError: The event cannot be written, or is too large; nothing was sent.
            TypeError: It is no event.
            ClosedError: The publisher is closed, or was closed meanwhile.
        """
        limit = deadline(timeout)
        self._check(await self._send(self._attempt_event(event), limit), "publish")

    async def publish_many(self, events: Iterable[EventLike], timeout: float | None = 5.0) -> None:
        """Publish events in order, in one go; waits as publish does.

        Raises:
            NotConnectedError, TimeoutError, InvalidError, TypeError, ClosedError: As
                publish. An event that cannot be written is found before the first is
                sent; else the text says how many were.
        """
        limit = deadline(timeout)
        many = Many(self, events)
        if many.count:
            many.check(await self._send(many, limit))

    async def send_frame(self, frame: Sequence[bytes], timeout: float | None = 5.0) -> None:
        """Send frames as they are: the key, then the payload's; waits as publish does.

        Raises:
            InvalidError: The first is no key.
            NotConnectedError, TimeoutError, ClosedError: As publish.
        """
        limit = deadline(timeout)
        self._check(await self._send(self._attempt_frames(frame), limit), "send_frame")

    async def wait_connected(self, timeout: float | None = 5.0) -> None:
        """Wait until the proxy is there (with bind: a subscriber).

        Raises:
            NotConnectedError: It was not within the time; the text says why.
            ClosedError, InvalidError: As publish.
        """
        status = await poll(
            lambda ms: self._lib.juicebus_publisher_wait_connected(self._handle, ms),
            deadline(timeout),
        )
        check(status, f"wait_connected of {self._uri}")

    async def flush(self, timeout: float | None = 5.0) -> bool:
        """Wait until all that was published so far has reached the proxy.

        Returns:
            True when the proxy has confirmed it; False if this proxy cannot. In this
            version no proxy can, and False comes at once.

        Raises:
            TimeoutError: There was no answer within the time.
            ClosedError, InvalidError: As publish.
        """
        status = await poll(
            lambda ms: self._lib.juicebus_publisher_flush(self._handle, ms), deadline(timeout)
        )
        return confirmed(status, "flush", self._uri, timeout)

    def close(self, timeout: float | None = 1.0) -> None:
        """Close the publisher; whoever waits in it gets ClosedError. Does not wait.

        The library hands what is queued to the network in the background, for up to 1 s;
        the timeout is checked and otherwise there for code that closes either twin. A
        second close does nothing.
        """
        deadline(timeout)
        self._close_handle()
        self._readable.close()

    async def aclose(self, timeout: float | None = 1.0) -> None:
        """Close the publisher, and wait until what is queued is handed to the network.

        What is not handed over within the timeout, in seconds, the library goes on with
        for up to 1 s. A second close does nothing.
        """
        limit = deadline(timeout)
        status = self._close_handle()
        self._readable.close()
        if status == Status.TIMEOUT:
            await poll(self._lib.juicebus_wait_closed, limit)

    def _forget_in_child(self) -> None:
        """Drop what a forked child must not use; called there only."""
        self._readable = self._new_readable()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it, and wait until what is queued is handed to the network."""
        await self.aclose()

    async def _send(self, attempt: Attempt, limit: float | None) -> int:
        """Try, wait until it is worth trying again, up to the deadline; return the status."""
        self._since_yield += 1
        if self._since_yield == _GREED_EVENTS:
            self._since_yield = 0
            await asyncio.sleep(0)
        while (status := attempt(0)) in RETRY and not passed(limit):
            await self._readable.wait(left(limit))
        return status

    def _new_readable(self) -> Readable:
        asked = f"publish to {self._uri}"
        # No reference to self: a publisher that is dropped is closed at once.
        return Readable(
            partial(fd_of, self._lib.juicebus_publisher_fd, self._handle, asked),
            asked,
            is_ready=lambda: False,
            wakes=None,
        )
