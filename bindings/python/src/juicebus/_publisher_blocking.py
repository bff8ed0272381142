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
from juicebus._options import Overflow, publisher_options
from juicebus._publisher import Many, PublisherShared
from juicebus._slices import repeat, send
from juicebus._timeout import PUBLISH_S, deadline

if TYPE_CHECKING:
    from typing_extensions import Self

    from juicebus._notices_blocking import NoticesBlocking


class PublisherBlocking(PublisherShared):
    """Publishes events, and blocks the calling thread while they cannot be queued.

    Any thread may call any method. An event that was published is on its way, or in the
    publisher's queue until there is a proxy; close() hands the queue to the network.
    """

    def __init__(
        self,
        uri: str,
        bind: bool = False,
        *,
        codec: str | None = None,
        max_events: int | None = None,
        max_bytes: int | None = None,
        max_event_bytes: int | None = None,
        overflow: Overflow = "block",
        heartbeat: float | None = 1.0,
    ) -> None:
        """Open a publisher to a proxy. Does not wait: it connects in the background.

        Args:
            uri: The proxy's publisher side, such as "tcp://127.0.0.1:5122".
            bind: Listen at the URI instead, for subscribers that connect directly.
            codec: "cbor", or "json" while the fleet has members that cannot read CBOR.
                None: the environment variable JUICEBUS_CODEC, else "cbor".
            max_events: Events queued while they cannot be sent; 100,000 by default. 0: no
                queue, publish raises NotConnectedError at once while there is no proxy.
            max_bytes: The same queue in bytes of keys and payloads; 64 MiB by default.
            max_event_bytes: Larger events are refused; 64 MiB by default.
            overflow: What publish does when the queue is full: "block" up to its timeout,
                "drop_oldest" or "drop_newest". What is dropped is counted.
            heartbeat: Seconds between signs of life that the proxy is asked for; after
                three without an answer the connection is dead and made anew. 0 or None:
                none. With bind it has no effect: TCP looks after those connections.

        Raises:
            InvalidError: The URI is malformed, an option out of range, or no such codec.
            SystemFault: With bind: the address is taken.
            ImportError: The library cannot be loaded.
        """
        options = publisher_options(
            bind,
            overflow,
            heartbeat,
            max_events=max_events,
            max_bytes=max_bytes,
            max_event_bytes=max_event_bytes,
        )
        super().__init__(uri, codec, options)

    def publish(self, event: EventLike, timeout: float | None = PUBLISH_S) -> None:
        """Publish an event: send it, or queue it while that cannot be.

        While there is no proxy, at first or after an outage, events wait in order and go
        out when it is there. Blocks while the queue is full. With bind there is no queue:
        blocks until somebody has subscribed.

        Args:
            event: An object with name() and topic() that is a pydantic model, or has
                frames of its own by to_msg().
            timeout: Seconds; None for ever, 0 does not wait.

        Raises:
            TimeoutError: The queue stayed full; the text says whether a proxy is there.
            NotConnectedError: There is no proxy, and max_events is 0; with bind: nobody
                subscribed within the time.
            InvalidError: The event cannot be written, or is too large; nothing was sent.
            TypeError: It is no event.
            ClosedError: The publisher is closed, or was closed meanwhile.
        """
        if timeout is not PUBLISH_S:
            deadline(timeout)  # refuses what is none, also where nothing waits
        attempt = self._publish_now(event)
        if attempt is not None:
            self._check(send(attempt, self._retry, deadline(timeout)), "publish")

    def publish_many(self, events: Iterable[EventLike], timeout: float | None = 5.0) -> None:
        """Publish events in order, in one go; blocks as publish does.

        Raises:
            TimeoutError, NotConnectedError, InvalidError, TypeError, ClosedError: As
                publish. An event that cannot be written is found before the first is
                sent; else the text says how many were.
        """
        limit = deadline(timeout)
        many = Many(self, events)
        if many.count:
            many.check(send(many, self._retry, limit))

    def send_frame(self, frame: Sequence[bytes], timeout: float | None = PUBLISH_S) -> None:
        """Send frames as they are: the key, then the payload's; blocks as publish does.

        Raises:
            InvalidError: The first is no key.
            TimeoutError, NotConnectedError, ClosedError: As publish.
        """
        if timeout is not PUBLISH_S:
            deadline(timeout)  # refuses what is none, also where nothing waits
        attempt = self._send_now(frame)
        if attempt is not None:
            self._check(send(attempt, self._retry, deadline(timeout)), "send_frame")

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
            True when the proxy has confirmed it. False if that cannot be known: it is a
            legacy proxy (after 1 s), its subscriber side cannot be reached from here
            (after 1 s), or a connection was lost on the way and events with it, maybe;
            that is told once, and stats keep it in `unconfirmed`.

        Raises:
            TimeoutError: There was no proxy, or no answer, within the time.
            ClosedError, InvalidError: As publish.
        """
        limit = deadline(timeout)
        status = repeat(self._attempt_flush(), limit)
        return confirmed(status, "flush", self, timeout)

    def notices(self) -> NoticesBlocking:
        """Return an iterator of what happens to the connection; it ends at close.

        It blocks for the next notice. Each notice goes to one of those who ask; the
        latest 64 are kept.
        """
        from juicebus._notices_blocking import NoticesBlocking  # 2 ms, for those who ask

        return NoticesBlocking(self)

    def close(self, timeout: float | None = 1.0) -> None:
        """Close the publisher; blocks until what is queued is handed to the network.

        What is not handed over within the timeout, in seconds, is given up, and one
        warning of the logger "juicebus" says how many events that are. If the timeout is
        below 1 s, the library goes on until 1 s from the call, and what it gives up is
        told at the end of the process. A second close does nothing.
        """
        deadline(timeout)
        if self._close_handle.detach() is not None:
            _process.close_publisher(self._lib, self._handle, self._uri, self._pid, timeout)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()
