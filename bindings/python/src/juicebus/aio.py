# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The asyncio twins, and the deprecated names that Juice has for them.

What they share with the blocking twins is in _subscriber.py and _publisher.py.
"""

from __future__ import annotations

from typing_extensions import deprecated

from juicebus._event import EventType
from juicebus._publisher_async import PublisherAsync
from juicebus._subscriber_async import SubscriberAsync

__all__ = ["Publisher", "PublisherAsync", "Subscriber", "SubscriberAsync"]


@deprecated("The name Subscriber is deprecated, use SubscriberAsync")
class Subscriber(SubscriberAsync[EventType]):
    """The earlier name of SubscriberAsync."""


@deprecated("The name Publisher is deprecated, use PublisherAsync")
class Publisher(PublisherAsync):
    """The earlier name of PublisherAsync."""
