# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What ready and flush, which ask the proxy to confirm, make of their last status.

next: the twins, which differ in how they came by it
"""

from __future__ import annotations

from juicebus._errors import Status
from juicebus._library import check
from juicebus._timeout import described


def confirmed(status: int, asked: str, uri: str, timeout: float | None) -> bool:
    """Return True if the proxy has confirmed what was asked, False if it cannot.

    Raises:
        TimeoutError: There was no answer within the time.
        Exception: Whatever else the status stands for.
    """
    if status == Status.UNCONFIRMED:
        return False
    if status == Status.TIMEOUT:
        raise TimeoutError(f"{asked}: {uri} was silent for {described(timeout)}")
    check(status, f"{asked} of {uri}")
    return True
