# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What ready and flush, which ask the proxy to confirm, make of their last status.

next: the twins, which differ in how they came by it
"""

from __future__ import annotations

from typing import Protocol

from juicebus._errors import Status
from juicebus._library import check, library, text
from juicebus._timeout import described

# What the library's text has before the reason, if there is one.
_UNANSWERED = "no answer yet: "


class Asker(Protocol):
    """A publisher or subscriber."""

    _uri: str


def confirmed(status: int, asked: str, asker: Asker, timeout: float | None) -> bool:
    """Return True if the proxy has confirmed what was asked, False if it cannot.

    Raises:
        TimeoutError: There was no answer within the time.
        Exception: Whatever else the status stands for.
    """
    if status == Status.UNCONFIRMED:
        return False
    if status == Status.TIMEOUT:
        told = text(library().juicebus_last_error())
        reason = told.partition(_UNANSWERED)[2] or "the proxy has not answered"
        within = f"within {described(timeout)} from {asker._uri}"
        raise TimeoutError(f"{asked}: no answer {within}: {reason}")
    check(status, f"{asked} of {asker._uri}")
    return True
