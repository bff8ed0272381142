# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What a proxy counts, as plain frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ProxyStats:
    """The counts of a proxy since it was opened.

    Attributes:
        events: Events forwarded.
        bytes: Their keys and payloads.
        refused: What came but was over max_event_bytes, or on a reserved key.
        keys: Keys whose counts are kept.
        cut_off: Peers that were disconnected for breaking a limit or the protocol.
    """

    events: int
    bytes: int
    refused: int
    keys: int
    cut_off: int


@dataclass(frozen=True, slots=True)
class TopicStats:
    """What one key has had through a proxy since the proxy was opened.

    Attributes:
        events: Events forwarded.
        bytes: Their keys and payloads.
        last_seen: When the last one was forwarded, in UTC.
    """

    events: int
    bytes: int
    last_seen: datetime
