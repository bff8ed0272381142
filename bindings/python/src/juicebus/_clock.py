# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The library's times as datetimes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def utc(unix_ns: int) -> datetime:
    """Return a moment that is given in nanoseconds since 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=unix_ns // 1000)


def utc_or_none(unix_ns: int) -> datetime | None:
    """Return such a moment, None for 0."""
    return utc(unix_ns) if unix_ns else None
