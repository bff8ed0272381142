# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What happened to a connection, told by a publisher or subscriber that is asked for it.

The library keeps the latest 64 that nobody has asked for. The twins differ in how they
wait for the next one. next: _notices_blocking.py, _notices_async.py
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from juicebus import _abi
from juicebus._clock import utc
from juicebus._errors import Status
from juicebus._library import check, text


class NoticeKind(IntEnum):
    """What a notice is about."""

    CONNECTED = 1
    """The connection is made."""
    DISCONNECTED = 2
    """The connection is lost; a new one is tried for."""
    SLOW = 3
    """A queue is full and events are dropped; told once for each such time."""
    REFUSED = 4
    """Who answers is no such side of a proxy; it is tried again."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a publisher's or subscriber's connection.

    Attributes:
        kind: What it was.
        time: When it was seen, in UTC; up to 0.1 s after it happened.
        text: What happened, to which address; for a log.
    """

    kind: NoticeKind
    time: datetime
    text: str


class Noticer(Protocol):
    """What has notices: a publisher or subscriber."""

    _lib: ctypes.CDLL
    _handle: int
    _uri: str


class NoticesShared:
    """The notices of one object, without the wait for them."""

    def __init__(self, owner: Noticer) -> None:
        """Take notices of this object, which lives as long as they are waited for."""
        self._owner = owner
        self._asked = f"notices of {owner._uri}"

    def _take(self) -> Notice | None:
        """Return the oldest notice, None if there is none.

        Raises:
            ClosedError: The object is closed.
        """
        raw = _abi.Notice()
        while (status := self._next(raw)) == Status.OK:
            if raw.kind in _KINDS:
                return Notice(NoticeKind(raw.kind), utc(raw.time_unix_ns), text(raw.text))
        if status != Status.TIMEOUT:
            check(status, self._asked)
        return None

    def _next(self, raw: _abi.Notice) -> int:
        status: int = self._owner._lib.juicebus_next_notice(self._owner._handle, raw)
        return status


# A newer library may tell of what this package does not know.
_KINDS = frozenset(NoticeKind)
