# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What both subscribers share: everything but waiting.

Events come from the library in batches, into a deque of raw events. Each is decoded when
a get returns it, so that a bad one fails that get and no other. The twins differ in how
they wait until _fill finds something. next: blocking.py, aio.py; for one event _codec.py
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Generic
from weakref import finalize

from juicebus import _abi, _process
from juicebus._batch import Raw, name_of, take
from juicebus._clock import utc_or_none
from juicebus._codec import Plan, Reader, plan_for, undecodable
from juicebus._errors import ClosedError, DecodeError, Status
from juicebus._event import EventType
from juicebus._library import c_string, check, library
from juicebus._log import logger
from juicebus._owned_fd import fd_of
from juicebus._registry import Registry
from juicebus._watch import Watch

if TYPE_CHECKING:
    from juicebus._stats import SubscriberStats

# Compared for every event: a plain number is found faster than an enum's.
_TIMEOUT = int(Status.TIMEOUT)

# Of so many keys at most it is remembered who reads their events.
_KEYS_MAX = 10_000


class SubscriberShared(Generic[EventType]):
    """A subscriber without its waits. Any thread may call any method."""

    def __init__(self, uri: str, options: ctypes.Structure) -> None:
        """Open the subscriber; does not wait."""
        self._lib = lib = library()
        handle = ctypes.c_uint64()
        opened = lib.juicebus_subscriber_open(c_string("uri", uri), options, handle)
        check(opened, f"open a subscriber of {uri}")
        self._uri = uri
        self._handle = handle.value
        self._get_many = lib.juicebus_subscriber_get_many
        self._close_handle = finalize(
            self, _process.close_subscriber, lib, handle.value, os.getpid()
        )
        self._close_handle.atexit = False
        # Reentrant: a signal handler may close what it has interrupted.
        self._lock = threading.RLock()
        self._closed = False
        self._registry = Registry()
        # Who reads events of a key, by their format: what the registry says, once looked up.
        self._readers: dict[bytes, list[Reader]] = {}
        self._prefetched: deque[Raw] = deque()
        # The latest batch had several events: the next ones may be there already.
        self._flows = True
        self._watch: Watch | None = None
        self._decode_errors = 0
        self._skipped = 0
        self._told_skipped = False
        self._slow = 0

    def subscribe(self, event_type: type[EventType], *, topic: str | None = None) -> None:
        """Subscribe to a type of event. Does not wait: it becomes live shortly after.

        Args:
            event_type: The class; its subclasses are not subscribed to. It has a method
                name() and is a pydantic model, or has a method from_msg().
            topic: Only events of this topic and of those below it: "a.b" takes in "a.b"
                and "a.b.c", not "a.bb". None or "": all events of the type.

        Raises:
            AmbiguousNameError: Another class that was subscribed to has the same name, or
                one name is the dotted beginning of the other. Nothing has changed then.
            InvalidError: The name or the topic cannot be a key.
            TypeError: The class cannot be an event type.
            ClosedError: The subscriber is closed.
        """
        plan = plan_for(event_type)
        name, topic_bytes = _key_parts(plan, event_type, topic)
        with self._lock:
            # First ours: an event may come before the library's call returns.
            is_new = self._registry.add(name, topic_bytes, event_type, plan)
            status = self._lib.juicebus_subscriber_subscribe(self._handle, name, topic_bytes)
            if status != Status.OK and is_new:
                self._registry.remove(name, topic_bytes)
            self._readers.clear()
        check(status, f"subscribe {name.decode()!r} of {self._uri}")

    def unsubscribe(self, event_type: type[EventType], *, topic: str | None = None) -> None:
        """End one subscription; one that was not made is fine. Does not wait.

        Events of it that are already here may still come, unless it was the last one of
        its type: then they are skipped, and the name is free for another class.

        Raises:
            InvalidError, TypeError, ClosedError: As subscribe.
        """
        name, topic_bytes = _key_parts(plan_for(event_type), event_type, topic)
        with self._lock:
            status = self._lib.juicebus_subscriber_unsubscribe(self._handle, name, topic_bytes)
            if status == Status.OK:
                self._registry.remove(name, topic_bytes)
            self._readers.clear()
        check(status, f"unsubscribe {name.decode()!r} of {self._uri}")

    @property
    def connected(self) -> bool:
        """Whether the proxy is there; up to 0.1 s old."""
        try:
            return self.stats().connected
        except ClosedError:
            return False

    def stats(self) -> SubscriberStats:
        """Return the counts so far. Does not wait.

        Raises:
            ClosedError: The subscriber is closed.
        """
        from juicebus._stats import SubscriberStats  # a millisecond, for those who ask

        raw = _abi.SubscriberStats(struct_size=ctypes.sizeof(_abi.SubscriberStats))
        check(self._lib.juicebus_subscriber_stats(self._handle, raw), f"stats of {self._uri}")
        ahead = list(self._prefetched)
        ahead_bytes = sum(size for _, _, _, size in ahead)
        return SubscriberStats(
            events=raw.events - len(ahead) - self._decode_errors - self._skipped,
            bytes=raw.bytes - ahead_bytes,
            dropped=raw.dropped,
            skipped=raw.skipped + self._skipped,
            lost=None if raw.lost < 0 else raw.lost,
            decode_errors=self._decode_errors,
            pending_events=raw.pending_events + len(ahead),
            pending_bytes=raw.pending_bytes + ahead_bytes,
            reconnects=raw.reconnects,
            connected=bool(raw.connected),
            connected_since=utc_or_none(raw.connected_since_unix_ns),
        )

    def fileno(self) -> int:
        """Return a file descriptor for select, poll and event loops; does not wait.

        It is readable while an event waits. Then get with timeout 0 until TimeoutError:
        it can be readable although nothing is there. Do not read from it; it is the
        subscriber's and is closed with it.

        Raises:
            ClosedError: The subscriber is closed.
        """
        with self._lock:
            if self._closed:
                raise ClosedError(f"fileno of {self._uri}: closed")
            if self._watch is None:
                fd = fd_of(self._lib.juicebus_subscriber_fd, self._handle, f"fileno of {self._uri}")
                self._watch = Watch(fd, self._prefetched)
            return self._watch.fileno()

    def close(self) -> None:
        """Close the subscriber: whoever waits in it gets ClosedError. Does not wait.

        Events that no get has returned are gone. A second time does nothing.
        """
        with self._lock:
            self._closed = True
            self._prefetched.clear()
            if self._watch is not None:
                self._watch.close()
            self._close_handle()

    def _forget_in_child(self) -> None:
        """Drop what a forked child must not return; called there only."""
        self._lock = threading.RLock()
        self._prefetched.clear()

    def _fill(self, events_max: int, timeout_ms: int) -> bool:
        """Take events from the library into the deque, and tell whether any came."""
        batch = _abi.Batch()
        status = self._get_many(self._handle, events_max, timeout_ms, batch)
        if status:
            if status != _TIMEOUT:
                check(status, f"get from {self._uri}")
            return False
        if batch.slow > self._slow:
            self._tell_slow(batch.slow)
        self._flows = batch.count > 1
        self._prefetched.extend(take(self._lib, batch))
        # Without the lock: whoever of the two, close() and this, is last clears it.
        if self._closed:
            self._prefetched.clear()
            raise ClosedError(f"get from {self._uri}: closed")
        if self._watch is not None:
            self._watch.update()
        return True

    def _tell_slow(self, slow: int) -> None:
        """Warn once that events have been dropped since the last batch."""
        with self._lock:
            if slow <= self._slow:
                return
            self._slow = slow
        try:
            dropped = self.stats().dropped
        except ClosedError:
            return
        logger().warning(
            "this subscriber of %s did not keep up: %d events dropped so far", self._uri, dropped
        )

    def _tell_skipped(self, exc: DecodeError) -> None:
        """Warn once that an iteration skips what cannot be decoded."""
        if not self._told_skipped:
            self._told_skipped = True
            logger().warning("an event is skipped, and others like it will be: %s", exc)

    def _pop(self) -> Raw | None:
        try:
            raw = self._prefetched.popleft()
        except IndexError:
            return None
        if self._watch is not None:
            self._watch.update()
        return raw

    def _put_back(self, raw: Raw) -> None:
        self._prefetched.appendleft(raw)
        if self._watch is not None:
            self._watch.update()

    def _look_up(self, key: bytes) -> list[Reader] | None:
        """Return who reads events of a key, and remember it; None: nobody any more."""
        with self._lock:
            subscription = self._registry.find(name_of(key))
            if subscription is None:
                return None
            if len(self._readers) >= _KEYS_MAX:
                self._readers.clear()
            self._readers[key] = subscription.plan.readers
        return subscription.plan.readers

    def _decode(self, raw: Raw) -> EventType | None:
        """Return the event; None if nobody is subscribed to it any more."""
        key, form, payload, _ = raw
        readers = self._readers.get(key) or self._look_up(key)
        if readers is None:
            self._skipped += 1
            return None
        try:
            event: EventType = readers[form](payload)
        except Exception as exc:
            self._decode_errors += 1
            raise self._error(raw, exc) from exc
        return event

    def _error(self, raw: Raw, exc: Exception) -> DecodeError:
        subscription = self._registry.find(name_of(raw[0]))
        if subscription is None:  # not any more
            return DecodeError(str(exc))
        return undecodable(subscription.plan, raw, exc)

    def _next(self) -> EventType | None:
        """Return the next event that is in the deque, None if there is none."""
        while True:
            try:
                raw = self._prefetched.popleft()
            except IndexError:
                return None
            if self._watch is not None:
                self._watch.update()
            event = self._decode(raw)
            if event is not None:
                return event

    def _collect(self, events_max: int) -> list[EventType]:
        """Return what is there, up to the first event that cannot be decoded."""
        events: list[EventType] = []
        take_next, find_readers = self._prefetched.popleft, self._readers.get
        try:
            while len(events) < events_max:
                try:
                    raw = take_next()
                except IndexError:
                    if not self._fill_after(events, events_max):
                        break
                    continue
                # As _decode, without its calls: here it is what a batch costs.
                key, form, payload, _ = raw
                readers = find_readers(key) or self._look_up(key)
                if readers is None:
                    self._skipped += 1
                    continue
                try:
                    events.append(readers[form](payload))
                except Exception as exc:
                    if events:
                        self._prefetched.appendleft(raw)  # for the next call
                        break
                    self._decode_errors += 1
                    raise self._error(raw, exc) from exc
        finally:
            if self._watch is not None:
                self._watch.update()
        return events

    def _fill_after(self, events: list[EventType], events_max: int) -> bool:
        """Take what is missing after some events; those come first if it is closed."""
        try:
            return self._fill(events_max - len(events), 0)
        except ClosedError:
            if not events:
                raise
            return False


def _key_parts(plan: Plan, event_type: Any, topic: str | None) -> tuple[bytes, bytes]:
    name = plan.name or event_type.name()
    return c_string("event name", name), c_string("topic", topic or "")
