# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What both publishers share: everything but waiting.

An event becomes an attempt: a call that tries to hand it to the library, within a given
time, and returns a status. The twins differ in how they wait until an attempt succeeds.
next: blocking.py, aio.py; for one event _codec.py
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import finalize

from juicebus import _abi, _process
from juicebus._attempt import RETRY, Attempt
from juicebus._clock import utc_or_none
from juicebus._codec import Plan, as_bytes, codec_named, encode, plan_for
from juicebus._errors import ClosedError, InvalidError, Status, error_for
from juicebus._event import EventLike
from juicebus._library import c_string, check, leave_ending_process, library, text

if TYPE_CHECKING:
    from juicebus._stats import PublisherStats


class PublisherShared:
    """A publisher without its waits. Any thread may call any method."""

    def __init__(
        self,
        uri: str,
        codec: str | None,
        options: ctypes.Structure,
    ) -> None:
        """Open the publisher; does not wait."""
        self._codec = codec_named(codec)
        self._lib = lib = library()
        handle = ctypes.c_uint64()
        opened = lib.juicebus_publisher_open(c_string("uri", uri), options, handle)
        check(opened, f"open a publisher of {uri}")
        self._uri = uri
        self._handle = handle.value
        self._publish_one = lib.juicebus_publisher_publish
        self._pid = os.getpid()
        # Without a queue it is no use to try again while there is no proxy.
        self._retry = RETRY if options.bind else (Status.TIMEOUT,)
        _process.publisher_opened(self._handle, uri)
        # A publisher that is dropped hands its events over in the background.
        self._close_handle = finalize(
            self, _process.close_publisher, lib, self._handle, uri, self._pid, 0
        )
        self._close_handle.atexit = False

    @property
    def connected(self) -> bool:
        """Whether the proxy (with bind: a subscriber) is there; up to 0.1 s old."""
        try:
            return self.stats().connected
        except ClosedError:
            return False

    def stats(self) -> PublisherStats:
        """Return the counts so far. Does not wait.

        Raises:
            ClosedError: The publisher is closed.
        """
        from juicebus._stats import PublisherStats  # a millisecond, for those who ask

        raw = _abi.PublisherStats(struct_size=ctypes.sizeof(_abi.PublisherStats))
        check(self._lib.juicebus_publisher_stats(self._handle, raw), f"stats of {self._uri}")
        return PublisherStats(
            events=raw.events,
            bytes=raw.bytes,
            dropped=raw.dropped,
            pending_events=raw.pending_events,
            pending_bytes=raw.pending_bytes,
            unconfirmed=raw.unconfirmed,
            reconnects=raw.reconnects,
            connected=bool(raw.connected),
            connected_since=utc_or_none(raw.connected_since_unix_ns),
        )

    def _attempt_event(self, event: EventLike) -> Attempt:
        plan = plan_for(type(event))
        name, topic = _key_parts(plan, event)
        frames = encode(plan, self._codec, event)
        if plan.own_frames:
            return self._attempt_frames([name + b"." + (topic + b"." if topic else b""), *frames])
        payload = frames[0]
        return partial(self._publish_one, self._handle, name, topic, payload, len(payload))

    def _attempt_frames(self, frames: Sequence[bytes]) -> Attempt:
        array = _frame_array(frames)
        send = self._lib.juicebus_publisher_send_frames
        return lambda timeout_ms: send(self._handle, array, len(array), timeout_ms)

    def _attempt_flush(self) -> Attempt:
        """Return an attempt for what has been published so far, and nothing that follows."""
        flush, handle = self._lib.juicebus_publisher_flush_first, self._handle
        events = self.stats().events
        return lambda timeout_ms: flush(handle, events, timeout_ms)

    def _check(self, status: int, asked: str) -> None:
        """Raise what an attempt, the last call of this thread, ended with."""
        if not status:
            return
        if status == Status.TIMEOUT:
            raise TimeoutError(f"{asked} to {self._uri}: {self._why_full()}")
        check(status, f"{asked} to {self._uri}")

    def _why_full(self) -> str:
        reason = "the proxy does not keep up" if self.connected else "it is not connected"
        return f"its queue stayed full: {reason}"


class Many:
    """An attempt for many events, that goes on behind those that were sent before."""

    def __init__(self, publisher: PublisherShared, events: Iterable[EventLike]) -> None:
        """Encode all events; nothing is sent yet."""
        encoded: list[Any] = [_event_struct(event, publisher._codec) for event in events]
        self.count = len(encoded)
        self._array = (_abi.Event * self.count)(*encoded)
        self._publish = publisher._lib.juicebus_publisher_publish_many
        self._handle = publisher._handle
        self._uri = publisher._uri
        self._why_full = publisher._why_full
        self._sent = 0

    def __call__(self, timeout_ms: int) -> int:
        """Send what is left, and return the status."""
        sent = ctypes.c_size_t()
        status: int = self._publish(
            self._handle, self._array[self._sent], self.count - self._sent, timeout_ms, sent
        )
        self._sent += sent.value
        return status

    def check(self, status: int) -> None:
        """Raise what the last call, of this thread, ended with, and how far it came."""
        if status == Status.OK:
            return
        if status == Status.TIMEOUT:
            reason = self._why_full()
        elif status == Status.CLOSED:
            leave_ending_process()
            reason = "closed"
        else:
            reason = text(library().juicebus_last_error())
        done = f"publish_many to {self._uri}: {self._sent} of {self.count} events were queued"
        raise error_for(status, f"{done}, then: {reason}")


def _key_parts(plan: Plan, event: EventLike) -> tuple[bytes, bytes]:
    if not plan.has_topic:
        raise TypeError(f"publish {type(event).__qualname__}: it has no method topic()")
    return c_string("event name", event.name()), c_string("topic", event.topic() or "")


def _frame_array(frames: Sequence[bytes]) -> Any:
    if isinstance(frames, (bytes, bytearray, memoryview, str)):
        raise InvalidError("send_frame: a list of frames is needed, the key first")
    pairs: list[Any] = [(frame, len(frame)) for frame in map(as_bytes, frames)]
    return (_abi.Frame * len(pairs))(*pairs)


def _event_struct(event: EventLike, codec: Any) -> tuple[Any, ...]:
    plan = plan_for(type(event))
    name, topic = _key_parts(plan, event)
    frames = encode(plan, codec, event)
    if plan.own_frames:
        return (name, topic, None, 0, _frame_array(frames), len(frames))
    return (name, topic, frames[0], len(frames[0]))
