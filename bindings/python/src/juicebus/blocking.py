# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The blocking twins.

What they share with the asyncio twins is in _subscriber.py and _publisher.py.
"""

from __future__ import annotations

from juicebus._publisher_blocking import PublisherBlocking
from juicebus._subscriber_blocking import SubscriberBlocking

__all__ = ["PublisherBlocking", "SubscriberBlocking"]
