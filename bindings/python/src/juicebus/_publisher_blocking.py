# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""PublisherBlocking: _publisher.py, and waiting for room inside the library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from juicebus import _process
from juicebus._confirmation import confirmed
from juicebus._event import EventLike
from juicebus._library import check
from juicebus._publisher import Many, PublisherShared
from juicebus._slices import repeat, send
from juicebus._timeout import deadline, whole_ms

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class PublisherBlocking(PublisherShared):
    """Publishes events, and blocks the calling thread while they cannot be queued.

    Any thread may call any method. An event that was published is on its way or in the
    publisher's queue; close() hands the queue to the network.
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

    def publish(self, event: EventLike, timeout: float | None = 5.0) -> None:
        """Publish an event; blocks while there is no proxy yet or the queue is full.

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
        self._check(send(self._attempt_event(event), limit), "publish")

    def publish_many(self, events: Iterable[EventLike], timeout: float | None = 5.0) -> None:
        """Publish events in order, in one go; blocks as publish does.

        Raises:
            NotConnectedError, TimeoutError, InvalidError, TypeError, ClosedError: As
                publish. An event that cannot be written is found before the first is
                sent; else the text says how many were.
        """
        limit = deadline(timeout)
        many = Many(self, events)
        if many.count:
            many.check(send(many, limit))

    def send_frame(self, frame: Sequence[bytes], timeout: float | None = 5.0) -> None:
        """Send frames as they are: the key, then the payload's; blocks as publish does.

        Raises:
            InvalidError: The first is no key.
            NotConnectedError, TimeoutError, ClosedError: As publish.
        """
        limit = deadline(timeout)
        self._check(send(self._attempt_frames(frame), limit), "send_frame")

    def wait_connected(self, timeout: float | None = 5.0) -> None:
        """Wait until the proxy is there (with bind: a subscriber).

        Raises:
            NotConnectedError: It was not within the time; the text says why.
            ClosedError, InvalidError: As publish.
        """
        status = repeat(
            lambda ms: self._lib.juicebus_publisher_wait_connected(self._handle, ms),
            deadline(timeout),
        )
        check(status, f"wait_connected of {self._uri}")

    def flush(self, timeout: float | None = 5.0) -> bool:
        """Wait until all that was published so far has reached the proxy.

        Returns:
            True when the proxy has confirmed it; False if this proxy cannot. In this
            version no proxy can, and False comes at once.

        Raises:
            TimeoutError: There was no answer within the time.
            ClosedError, InvalidError: As publish.
        """
        status = repeat(
            lambda ms: self._lib.juicebus_publisher_flush(self._handle, ms), deadline(timeout)
        )
        return confirmed(status, "flush", self._uri, timeout)

    def close(self, timeout: float | None = 1.0) -> None:
        """Close the publisher; blocks until what is queued is handed to the network.

        What is not handed over within the timeout, in seconds, the library goes on with
        for up to 1 s. A second close does nothing.
        """
        timeout_ms = whole_ms(timeout)
        if self._close_handle.detach() is not None:
            _process.close_publisher(self._lib, self._handle, self._pid, timeout_ms)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
