# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How the blocking twins and a close wait: in the library, in slices that let Ctrl-C through.

next: _subscriber_blocking.py, _publisher_blocking.py, _process.py
"""

from __future__ import annotations

from collections.abc import Sequence

from juicebus._attempt import RETRY, Attempt
from juicebus._timeout import passed, slice_ms


def send(attempt: Attempt, retry: Sequence[int], limit: float | None) -> int:
    """Try at once, then wait in slices up to the deadline; return the last status."""
    status = attempt(0)
    if not status or status not in retry or passed(limit):
        return status
    return repeat(attempt, limit, retry)


def repeat(call: Attempt, limit: float | None, retry: Sequence[int] = RETRY) -> int:
    """Repeat a call in slices until it has an outcome or the deadline has passed."""
    while True:
        status = call(slice_ms(limit))
        if status not in retry or passed(limit):
            return status
