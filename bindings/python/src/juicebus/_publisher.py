# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What both publishers share: everything but waiting.

An event goes to the library at once, or becomes an attempt: a call that tries to hand it
over, within a given time, and returns a status. The twins differ in how they wait until an
attempt succeeds.
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
from juicebus._codec import Plan, codec_named, encode, plan_for, unencodable
from juicebus._errors import ClosedError, Status, error_for
from juicebus._event import EventLike
from juicebus._library import c_string, check, leave_ending_process, library, text
from juicebus._packed import Address, address, pack_event, pack_frames, pack_frames_of_event

if TYPE_CHECKING:
    from juicebus._stats import PublisherStats

# How many classes, and how many names and topics, a publisher remembers; then it forgets.
_KNOWN_MAX = 10_000


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
        self._publish_packed = lib.juicebus_publisher_publish_packed
        self._send_packed = lib.juicebus_publisher_send_packed
        self._plans: dict[type, Plan] = {}
        self._addresses: dict[tuple[str, str | None], Address] = {}
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

    def _publish_now(self, event: EventLike) -> Attempt | None:
        """Publish an event, if that can be done at once; else return what to repeat.

        Raises:
            InvalidError, TypeError: It cannot be published.
        """
        plan = self._plans.get(type(event)) or self._plan(event)
        name, topic = plan.name or event.name(), event.topic()
        to = self._addresses.get((name, topic)) or self._address(name, topic)
        if plan.own_frames:
            key = to.name + b"." + (to.topic + b"." if to.topic else b"")
            return self._send_now([key, *encode(plan, self._codec, event)])
        try:
            payload = plan.writers[self._codec](event)
        except Exception as exc:
            raise unencodable(event, exc) from exc
        publish, handle, name_bytes, topic_bytes = self._publish_one, self._handle, to[0], to[1]
        if not publish(handle, name_bytes, topic_bytes, payload, len(payload), 0):
            return None
        return partial(publish, handle, name_bytes, topic_bytes, payload, len(payload))

    def _send_now(self, frames: Sequence[bytes]) -> Attempt | None:
        """Send frames, if that can be done at once; else return what to repeat."""
        packed = pack_frames(frames)
        send, handle = self._send_packed, self._handle
        if not send(handle, packed, len(packed), 0):
            return None
        return partial(send, handle, packed, len(packed))

    def _pack(self, event: EventLike) -> bytes:
        """Return an event as publish_many takes it.

        Raises:
            InvalidError, TypeError: It cannot be published.
        """
        plan = self._plans.get(type(event)) or self._plan(event)
        name, topic = plan.name or event.name(), event.topic()
        to = self._addresses.get((name, topic)) or self._address(name, topic)
        if plan.own_frames:
            return pack_frames_of_event(to, encode(plan, self._codec, event))
        try:
            return pack_event(to, plan.writers[self._codec](event))
        except Exception as exc:
            raise unencodable(event, exc) from exc

    def _plan(self, event: EventLike) -> Plan:
        plan = plan_for(type(event))
        if not plan.has_topic:
            raise TypeError(f"publish {type(event).__qualname__}: it has no method topic()")
        _remember(self._plans, type(event), plan)
        return plan

    def _address(self, name: str, topic: str | None) -> Address:
        to = address(name, topic)
        _remember(self._addresses, (name, topic), to)
        return to

    def _attempt_flush(self) -> Attempt:
        """Return an attempt for what has been published so far, and nothing that follows."""
        return partial(self._lib.juicebus_publisher_flush_first, self._handle, self.stats().events)

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
        self._events = [*map(publisher._pack, events)]
        self.count = len(self._events)
        self._publish = publisher._publish_packed
        self._handle = publisher._handle
        self._uri = publisher._uri
        self._why_full = publisher._why_full
        self._sent = 0

    def __call__(self, timeout_ms: int) -> int:
        """Send what is left, and return the status."""
        sent = ctypes.c_size_t()
        left = b"".join(self._events[self._sent :])
        status: int = self._publish(self._handle, left, len(left), timeout_ms, sent)
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


def _remember(known: dict[Any, Any], key: Any, value: Any) -> None:
    if len(known) >= _KNOWN_MAX:
        known.clear()
    known[key] = value
