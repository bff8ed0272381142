# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What ready and flush, which ask the proxy to confirm, make of their last status.

next: the twins, which differ in how they came by it
"""

from __future__ import annotations

from typing import Protocol

from juicebus._errors import Status
from juicebus._library import check
from juicebus._timeout import described


class Asker(Protocol):
    """A publisher or subscriber."""

    _uri: str

    @property
    def connected(self) -> bool:
        """Whether the proxy is there."""


def confirmed(status: int, asked: str, asker: Asker, timeout: float | None) -> bool:
    """Return True if the proxy has confirmed what was asked, False if it cannot.

    Raises:
        TimeoutError: There was no answer within the time.
        Exception: Whatever else the status stands for.
    """
    if status == Status.UNCONFIRMED:
        return False
    if status == Status.TIMEOUT:
        reason = "the proxy has not answered" if asker.connected else "it is not connected"
        within = f"within {described(timeout)} from {asker._uri}"
        raise TimeoutError(f"{asked}: no answer {within}: {reason}")
    check(status, f"{asked} of {asker._uri}")
    return True
