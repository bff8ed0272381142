# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How a test waits for what nothing tells of: it looks again and again, up to a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import juicebus

DEADLINE_S = 20.0


def until(is_so: Callable[[], bool], attempt: Callable[[], object]) -> None:
    """Repeat an attempt until `is_so()`; each attempt paces itself."""
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < end, f"not so within {DEADLINE_S} s"
        attempt()


def until_received(
    publisher: juicebus.PublisherBlocking,
    subscriber: juicebus.SubscriberBlocking[Any],
    probe: juicebus.Event,
) -> None:
    """Publish the probe until the subscriber has received one of its type."""
    received: list[Any] = []

    def attempt() -> None:
        publisher.publish(probe)
        try:
            received.append(subscriber.get(0.05))
        except TimeoutError:
            return

    until(lambda: any(isinstance(event, type(probe)) for event in received), attempt)
