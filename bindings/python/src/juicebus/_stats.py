# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What the objects of this package count, as plain frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SubscriberStats:
    """The counts of a subscriber since it was opened.

    Attributes:
        events: Events that get and get_many returned.
        bytes: Keys and payloads of the events that left the queue, undecodable ones too.
        dropped: Events that came but were larger than max_event_bytes.
        skipped: What came but was no event, or of a name that nobody subscribed to.
        lost: Events meant for this subscriber that it will never get; None: not known.
        decode_errors: Events that could not be decoded, raised as DecodeError or skipped.
        pending_events: Events that wait in this object for a get.
        pending_bytes: Their keys and payloads.
        reconnects: Connections made after the first one.
        connected: Whether the proxy is there; up to 0.1 s old.
    """

    events: int
    bytes: int
    dropped: int
    skipped: int
    lost: int | None
    decode_errors: int
    pending_events: int
    pending_bytes: int
    reconnects: int
    connected: bool


@dataclass(frozen=True, slots=True)
class PublisherStats:
    """The counts of a publisher since it was opened.

    Attributes:
        events: Events queued towards the network.
        bytes: Their keys and payloads.
        dropped: With bind: events that at least one slow subscriber lost.
        reconnects: Connections made after the first one.
        connected: Whether the proxy (with bind: a subscriber) is there; up to 0.1 s old.
    """

    events: int
    bytes: int
    dropped: int
    reconnects: int
    connected: bool


@dataclass(frozen=True, slots=True)
class ProxyStats:
    """The counts of a proxy since it was opened.

    Attributes:
        events: Events forwarded.
        bytes: Their keys and payloads.
        dropped: Events that at least one slow subscriber lost.
        refused: What came but was over max_event_bytes, or on a reserved key.
        keys: Keys whose counts are kept.
    """

    events: int
    bytes: int
    dropped: int
    refused: int
    keys: int


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
