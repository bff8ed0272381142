# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A proxy inside this process. The library forwards on a thread of its own.

Python only asks which keys were forwarded: the library tells each news once, and here
it is added up for topics() and kept for on_message, whichever of them asks first.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from weakref import finalize

from juicebus import _abi, _process
from juicebus._clock import utc
from juicebus._errors import ClosedError, Status
from juicebus._library import c_string, check, library, text
from juicebus._log import logger
from juicebus._options import options
from juicebus._owned_fd import fd_of
from juicebus._proxy_stats import ProxyStats, TopicStats
from juicebus._readable import Readable
from juicebus._timeout import whole_ms

if TYPE_CHECKING:
    from typing_extensions import Self

# As many as the library keeps counts for.
TOPICS_MAX = 10_000
_URI_BYTES = 512


class Proxy:
    """Forwards what publishers send to the subscribers of it, from construction to close().

    Any thread may call any method. A subscriber that cannot keep up never stops the
    others: what waits for it is kept up to max_bytes; then it is cut off, may connect
    again, and its `lost` says what it has missed.
    """

    def __init__(
        self,
        pub_uri: str,
        sub_uri: str,
        on_message: Callable[[bytes], None] | None = None,
        *,
        hold: float = 0.5,
        max_bytes: int | None = None,
        max_event_bytes: int | None = None,
        max_subscriptions: int | None = None,
    ) -> None:
        """Listen at two addresses, and forward. Does not wait.

        Args:
            pub_uri: Where publishers connect, such as "tcp://127.0.0.1:5122"; port 0
                takes a free one, see pub_uri and sub_uri.
            sub_uri: Where subscribers connect.
            on_message: Called by run() with each key that was forwarded, as on the wire;
                once for many events of the same key.
            hold: Seconds in which what publishers send is kept, at the start, until
                subscribers have had the time to come back.
            max_bytes: Memory of what waits for slow subscribers, all together; 64 MiB by
                default.
            max_event_bytes: Larger events are refused; 64 MiB by default.
            max_subscriptions: Of one subscriber, who is cut off beyond; each type and
                topic costs two; 25,000 by default.

        Raises:
            InvalidError: A URI is malformed, or an option out of range.
            SystemFault: An address is taken.
            ImportError: The library cannot be loaded.
        """
        self._lib = lib = library()
        chosen = options(
            lib.juicebus_proxy_options_init,
            _abi.ProxyOptions,
            hold_ms=whole_ms(hold),
            max_bytes=max_bytes,
            max_event_bytes=max_event_bytes,
            max_subscriptions=max_subscriptions,
        )
        handle = ctypes.c_uint64()
        uris = c_string("pub_uri", pub_uri), c_string("sub_uri", sub_uri)
        opened = lib.juicebus_proxy_open(*uris, chosen, handle)
        self._asked = f"proxy {pub_uri} {sub_uri}"
        check(opened, self._asked)
        self._handle = handle.value
        self._close_handle = finalize(self, _process.close_proxy, lib, self._handle, os.getpid())
        self._close_handle.atexit = False
        self._pub_uri, self._sub_uri = self._real_uris()
        self._on_message = on_message
        self._topics: dict[bytes, TopicStats] = {}
        self._unreported: dict[bytes, None] = {}
        self._closed = False
        self._lock = threading.RLock()
        self._readable = self._new_readable()
        _process.track(self)

    @property
    def pub_uri(self) -> str:
        """Where publishers connect, with the real port."""
        return self._pub_uri

    @property
    def sub_uri(self) -> str:
        """Where subscribers connect, with the real port."""
        return self._sub_uri

    async def run(self) -> None:
        """Call on_message until the proxy is closed, or this is cancelled; then close it.

        Forwarding does not depend on it. An exception of on_message is logged.

        Raises:
            ClosedError: The proxy was closed before.
            SystemFault: The proxy cannot go on.
        """
        if self._closed:
            raise ClosedError(f"run of {self._asked}: closed")
        try:
            while not self._closed:
                self._collect()
                self._report()
                await self._readable.wait(None)
        except ClosedError:
            if not self._closed:
                raise
        finally:
            self.close()

    def stats(self) -> ProxyStats:
        """Return the counts so far. Does not wait.

        Raises:
            ClosedError: The proxy is closed.
        """
        raw = _abi.ProxyStats(struct_size=ctypes.sizeof(_abi.ProxyStats))
        check(self._lib.juicebus_proxy_stats(self._handle, raw), f"stats of {self._asked}")
        return ProxyStats(
            events=raw.events,
            bytes=raw.bytes,
            refused=raw.refused,
            keys=raw.keys,
            cut_off=raw.cut_off,
        )

    def topics(self) -> dict[str, TopicStats]:
        """Return what each key has had so far, by "Name.topic". Does not wait.

        The 10,000 keys that were seen last are kept.

        Raises:
            ClosedError: The proxy is closed.
        """
        self._collect()
        if self._unreported:
            self._readable.wake()
        with self._lock:
            return {key[:-1].decode("utf-8", "replace"): s for key, s in self._topics.items()}

    def close(self) -> None:
        """Stop forwarding and free the addresses. A second time does nothing."""
        self._closed = True
        self._close_handle()
        self._readable.close()

    def _forget_in_child(self) -> None:
        """Drop what a forked child must not use; called there only."""
        self._lock = threading.RLock()
        self._readable = self._new_readable()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close it."""
        self.close()

    def _collect(self) -> None:
        """Take the library's news of keys."""
        batch = _abi.KeyBatch()
        with self._lock:
            while (status := self._lib.juicebus_proxy_keys(self._handle, batch)) == Status.OK:
                try:
                    for count in batch.keys[: batch.count]:
                        self._note(count)
                finally:
                    self._lib.juicebus_key_batch_free(batch)
        if status != Status.TIMEOUT:
            check(status, f"keys of {self._asked}")

    def _note(self, count: _abi.KeyCount) -> None:
        key = ctypes.string_at(count.key, count.key_size)
        seen = utc(count.last_seen_unix_ns)
        # Behind all others: the first one is the one to forget.
        self._topics.pop(key, None)
        self._topics[key] = TopicStats(count.events, count.bytes, seen)
        if len(self._topics) > TOPICS_MAX:
            del self._topics[next(iter(self._topics))]
        if self._on_message is not None:
            self._unreported[key] = None

    def _report(self) -> None:
        with self._lock:
            keys, self._unreported = self._unreported, {}
        if self._on_message is None:
            return
        for key in keys:
            try:
                self._on_message(key)
            except Exception:
                logger().exception("on_message raised for the key %r", key)

    def _real_uris(self) -> tuple[str, str]:
        pub, sub = (ctypes.create_string_buffer(_URI_BYTES) for _ in range(2))
        status = self._lib.juicebus_proxy_uris(self._handle, pub, _URI_BYTES, sub, _URI_BYTES)
        check(status, self._asked)
        return text(pub.value), text(sub.value)

    def _new_readable(self) -> Readable:
        return Readable(
            partial(fd_of, self._lib.juicebus_proxy_fd, self._handle, self._asked),
            self._asked,
            is_ready=lambda: False,
            wakes=None,
        )
