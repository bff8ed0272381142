# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Seconds in, milliseconds out: the one place where Python's timeouts become the library's.

A wait inside the library is cut into slices, because Python runs its signal handlers
only between them: Ctrl-C then ends a wait within 0.1 s. A poll in Python is ended by a
signal itself, but for one that comes in the microsecond before it; each of its slices
costs CPU time while nothing happens, so they are longer. next: blocking.py, aio.py
"""

from __future__ import annotations

import math
import time

from juicebus._errors import InvalidError

# A publish waits so long unless it is told otherwise.
PUBLISH_S = 5.0

SLICE_MS = 100
POLL_SLICE_MS = 1000


def deadline(timeout: float | None) -> float | None:
    """Return the moment, on the monotonic clock in seconds, at which a timeout is up.

    Args:
        timeout: Seconds from now; None or infinity for ever; 0 does not wait.

    Raises:
        InvalidError: It is negative, NaN or no number.
    """
    if timeout is None:
        return None
    try:
        valid = timeout >= 0
    except TypeError:
        valid = False
    if not valid:
        raise InvalidError(f"timeout {timeout!r}: None or a number of seconds from 0 up is needed")
    return None if timeout == math.inf else time.monotonic() + float(timeout)


def slice_ms(limit: float | None, longest: int = SLICE_MS) -> int:
    """Return how many milliseconds to wait now towards a deadline, at most the longest."""
    if limit is None:
        return longest
    left = limit - time.monotonic()
    if left <= 0:
        return 0
    return longest if left >= longest / 1000 else math.ceil(left * 1000)


def whole_ms(timeout: float | None) -> int:
    """Return a timeout in milliseconds for a call that is made once; -1 for ever."""
    limit = deadline(timeout)
    if limit is None:
        return -1
    return max(0, min(math.ceil((limit - time.monotonic()) * 1000), 2**62))


def passed(limit: float | None) -> bool:
    """Tell whether a deadline is over."""
    return limit is not None and time.monotonic() >= limit


def left(limit: float | None) -> float | None:
    """Return the seconds until a deadline, not below 0; None for ever."""
    return None if limit is None else max(0.0, limit - time.monotonic())


def described(timeout: float | None) -> str:
    """Return a timeout for an error text, such as 0.5 s."""
    return "no limit" if timeout is None else f"{timeout:g} s"
