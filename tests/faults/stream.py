# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Numbered events at a steady rate, and a receiver that notes which are missing.

Works with the blocking clients of both sides. Numbers run through a given count of
topics, so that as many events in a row touch every one of them.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from typing_extensions import Self

import juicebus
from probing import DEADLINE_S

RATE_HZ = 1000
BATCH_EVENTS = 10


class Reading(juicebus.Event):
    """A number in one of many topics, and what makes it as large as one likes."""

    number: int
    place: str
    filling: str = ""

    def topic(self) -> str:
        return self.place


def place(number: int, topics: int) -> str:
    """Return the topic of a number."""
    return f"t{number % topics}"


class Background:
    """Runs in a thread of its own within its with block, which raises its error at the end."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        """Work until it is over, or note the error."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.stop()
        if error is None and self.error is not None:
            raise self.error


class Stream(Background):
    """Publishes at a steady rate, until it is stopped."""

    def __init__(self, publisher: Any, topics: int) -> None:
        super().__init__()
        self.sent = 0
        self._publisher = publisher
        self._topics = topics
        # Whoever holds it publishes; to hold it pauses the stream.
        self.turn = threading.Lock()

    def publish(self, count: int) -> None:
        """Publish the next numbers at once, between those of the stream."""
        with self.turn:
            numbers = range(self.sent, self.sent + count)
            events = [Reading(number=n, place=place(n, self._topics)) for n in numbers]
            if hasattr(self._publisher, "publish_many"):
                self._publisher.publish_many(events, timeout=DEADLINE_S)
            else:
                for event in events:
                    self._publisher.publish(event)
            self.sent = numbers.stop

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._over.wait(max(0.0, due - time.monotonic())):
                self.publish(BATCH_EVENTS)
                due += BATCH_EVENTS / RATE_HZ
        except Exception as error:
            self.error = error


class Receiver(Background):
    """Takes what comes, until it is stopped."""

    def __init__(self, subscriber: Any) -> None:
        super().__init__()
        self.received = 0
        self.missing: list[int] = []
        self.out_of_order: list[int] = []
        self.highest = -1
        self._subscriber = subscriber
        self._came = threading.Condition()

    def wait_for(self, number: int, timeout: float = DEADLINE_S) -> bool:
        """Wait until this number or a higher one has come; return whether it has."""
        with self._came:
            return (
                self._came.wait_for(lambda: self.highest >= number or self.error, timeout) is True
            )

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                try:
                    self._note(self._take())
                except TimeoutError:
                    continue
        except Exception as error:
            with self._came:
                self.error = error
                self._came.notify_all()

    def _take(self) -> list[Any]:
        if hasattr(self._subscriber, "get_many"):
            events: list[Any] = self._subscriber.get_many(1000, 0.2)
            return events
        return [self._subscriber.get(0.2)]

    def _note(self, events: list[Any]) -> None:
        with self._came:
            for number in (event.number for event in events if isinstance(event, Reading)):
                self.received += 1
                if number <= self.highest:
                    self.out_of_order.append(number)
                    continue
                self.missing += range(self.highest + 1, number)
                self.highest = number
            self._came.notify_all()
