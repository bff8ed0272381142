# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What publishers and subscribers count, as plain frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SubscriberStats:
    """The counts of a subscriber since it was opened.

    Attributes:
        events: Events that get and get_many returned.
        bytes: Keys and payloads of the events that left the queue, undecodable ones too.
        dropped: Events that came, and were dropped: there was no room for them because
            nobody took any, or they were larger than max_event_bytes.
        skipped: What came but was no event, or of a name that nobody subscribed to.
        lost: Events meant for this subscriber that it will never get, the dropped ones
            included, those that wait for a get not; up to 0.25 s old. None: not known,
            because this is a legacy proxy.
        decode_errors: Events that could not be decoded, raised as DecodeError or skipped.
        pending_events: Events that wait for a get, as far as they have been looked at.
        pending_bytes: Their keys and payloads.
        reconnects: Connections made after the first one.
        connected: Whether the proxy is there; up to 0.1 s old.
        connected_since: When this connection was made, in UTC; None: there is none.
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
    connected_since: datetime | None


@dataclass(frozen=True, slots=True)
class PublisherStats:
    """The counts of a publisher since it was opened.

    Attributes:
        events: Events accepted: sent to the network, or queued.
        bytes: Their keys and payloads.
        dropped: Events that a full queue dropped, as its overflow says; with bind: events
            that at least one slow subscriber lost.
        pending_events: Events in the queue.
        pending_bytes: Their keys and payloads.
        unconfirmed: Events sent and not known to have reached a proxy: at most so many can
            be lost with one. flush makes it small; with bind: 0.
        reconnects: Connections made after the first one.
        connected: Whether the proxy (with bind: a subscriber) is there; up to 0.1 s old.
        connected_since: When this connection was made, in UTC; None: there is none.
    """

    events: int
    bytes: int
    dropped: int
    pending_events: int
    pending_bytes: int
    unconfirmed: int
    reconnects: int
    connected: bool
    connected_since: datetime | None
