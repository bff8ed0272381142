# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Threads that publish on one publisher, and as many that get from one subscriber.

    python many_threads.py juicebus|juice PUB_URI SUB_URI EVENTS

Prints in JSON how many numbers went, did not come or came twice, and the exceptions.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import sides
from events import Numbered

THREADS_EACH = 16
BATCH_EVENTS = 50
# How far the publishers may be ahead of the takers: below the queue limits of both
# sides, 1,000 events in Juice, so that whatever is missing was lost by a race.
LEAD_EVENTS = 800
# What has not come for so long is lost.
PATIENCE_S = 3.0


class Exchange:
    """What went and what came between a publisher and a subscriber."""

    def __init__(self, publisher: Any, subscriber: Any, events: int) -> None:
        self.sent = 0
        self.seen: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self._publisher = publisher
        self._subscriber = subscriber
        self._events = events
        self._received = 0
        self._over = False
        self._changed = threading.Condition()

    def run(self) -> None:
        """Let the threads exchange the events, until all came or no more come."""
        pairs = [(self._publish, self._take) for _ in range(THREADS_EACH)]
        threads = [threading.Thread(target=each) for pair in pairs for each in pair]
        for thread in threads:
            thread.start()
        with self._changed:
            while self._received < self._events and self._changed.wait(PATIENCE_S):
                pass
            self._over = True
            self._changed.notify_all()
        for thread in threads:
            thread.join()

    def _publish(self) -> None:
        while numbers := self._next_numbers():
            self._attempt(partial(self._send, [Numbered(number=number) for number in numbers]))

    def _next_numbers(self) -> range:
        with self._changed:
            lead = LEAD_EVENTS - BATCH_EVENTS
            self._changed.wait_for(lambda: self._over or self.sent - self._received <= lead)
            first = self.sent
            if not self._over:
                self.sent = min(first + BATCH_EVENTS, self._events)
            return range(first, self.sent)

    def _send(self, events: list[Numbered]) -> None:
        if hasattr(self._publisher, "publish_many"):
            self._publisher.publish_many(events)
            return
        for event in events:
            self._publisher.publish(event)

    def _take(self) -> None:
        while not self._over:
            self._attempt(self._take_some)

    def _take_some(self) -> None:
        if hasattr(self._subscriber, "get_many"):
            events = self._subscriber.get_many(BATCH_EVENTS, 0.2)
        else:
            events = [self._subscriber.get(0.2)]
        with self._changed:
            self.seen.update(event.number for event in events)
            self._received += len(events)
            self._changed.notify_all()

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except TimeoutError:
            return
        except Exception as error:
            with self._changed:
                self.errors[type(error).__name__] += 1


def main(side_name: str, pub_uri: str, sub_uri: str, events: str) -> None:
    """Exchange the events, and print what became of them."""
    side = sides.side_named(side_name)
    publisher, subscriber = side.publisher(pub_uri), side.subscriber(sub_uri)
    subscriber.subscribe(Numbered)
    sides.until_live(publisher.publish, subscriber)
    exchange = Exchange(publisher, subscriber, int(events))
    exchange.run()
    seen = exchange.seen
    lost, twice = exchange.sent - len(seen), seen.total() - len(seen)
    print(json.dumps({"sent": exchange.sent, "lost": lost, "twice": twice, **exchange.errors}))
    subscriber.close()
    publisher.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
