# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Which event class belongs to which name: what a subscriber has subscribed to.

A name belongs to one class as long as a topic of it is subscribed to. Lookups come from
any thread, changes from one at a time: the subscriber holds its lock. next: _subscriber.py
"""

from __future__ import annotations

from typing import Any

from juicebus._codec import Plan
from juicebus._errors import AmbiguousNameError


class Subscription:
    """An event class, its plan and the topics subscribed to; b"" is every topic."""

    __slots__ = ("event_class", "plan", "topics")

    def __init__(self, event_class: Any, plan: Plan) -> None:
        """Start with no topic."""
        self.event_class = event_class
        self.plan = plan
        self.topics: set[bytes] = set()


class Registry:
    """The subscriptions by the names of their classes."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_name: dict[bytes, Subscription] = {}
        # Bound once: every event that is received is looked up by it.
        self.find = self._by_name.get

    def add(self, name: bytes, topic: bytes, event_class: Any, plan: Plan) -> bool:
        """Add a topic of a class, and tell whether it is new.

        Raises:
            AmbiguousNameError: Another class has the name, or one is the dotted beginning
                of the other.
        """
        for other, subscription in self._by_name.items():
            if subscription.event_class is not event_class and _overlap(other, name):
                raise AmbiguousNameError(
                    f"subscribe {_named(event_class, name)}: already subscribed to "
                    f"{_named(subscription.event_class, other)}, and no event could be told "
                    f"to belong to one of them"
                )
        topics = self._by_name.setdefault(name, Subscription(event_class, plan)).topics
        new = topic not in topics
        topics.add(topic)
        return new

    def remove(self, name: bytes, topic: bytes) -> None:
        """Remove a topic; with the last one, the class. One that is not there is fine."""
        subscription = self._by_name.get(name)
        if subscription is not None:
            subscription.topics.discard(topic)
            if not subscription.topics:
                del self._by_name[name]


def _overlap(a: bytes, b: bytes) -> bool:
    key_a, key_b = a + b".", b + b"."
    return key_a.startswith(key_b) or key_b.startswith(key_a)


def _named(event_class: Any, name: bytes) -> str:
    return f"{event_class.__module__}.{event_class.__qualname__} (name {name.decode()!r})"
