# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Runs one test on the blocking twins and on the asyncio twins.

What a twin's method returns goes through run(), which awaits it where that is needed.
"""

from __future__ import annotations

import asyncio
import inspect
from contextlib import ExitStack
from typing import Any

import juicebus
from events import Probe

_CLASSES: dict[str, tuple[Any, Any]] = {
    "blocking": (juicebus.PublisherBlocking, juicebus.SubscriberBlocking),
    "aio": (juicebus.PublisherAsync, juicebus.SubscriberAsync),
}


class Twin:
    """One of the twins: opens publishers and subscribers, and closes them at the end."""

    def __init__(self, kind: str, proxy: juicebus.Proxy) -> None:
        self.kind = kind
        self.proxy = proxy
        self.publisher_class, self.subscriber_class = _CLASSES[kind]
        self._loop = asyncio.new_event_loop()
        self._exits = ExitStack()
        self._exits.callback(self._loop.close)

    def __enter__(self) -> Twin:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def run(self, result: Any) -> Any:
        """Return a result, awaited if it is a coroutine."""
        return self._loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def publisher(self, **options: Any) -> Any:
        """Open a publisher to the proxy."""
        return self._closed_at_end(self.publisher_class(self.proxy.pub_uri, **options))

    def subscriber(self, *event_types: Any, **options: Any) -> Any:
        """Open a subscriber of the proxy, subscribed to these types and to Probe."""
        subscriber = self._closed_at_end(self.subscriber_class(self.proxy.sub_uri, **options))
        for event_type in (*event_types, Probe):
            subscriber.subscribe(event_type)
        return subscriber

    def connected(self, *event_types: Any, **options: Any) -> tuple[Any, Any]:
        """Open a publisher that is connected and a subscriber that is live."""
        publisher, subscriber = self.publisher(**options), self.subscriber(*event_types)
        self.run(publisher.wait_connected())
        assert self.run(subscriber.ready())
        return publisher, subscriber

    def _closed_at_end(self, opened: Any) -> Any:
        self._exits.callback(opened.close)
        return opened
