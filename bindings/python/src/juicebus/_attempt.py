# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""An attempt: a call of the library that waits for a short while, and is made again.

next: _slices.py for the blocking twins, _polling.py for the asyncio ones
"""

from __future__ import annotations

from collections.abc import Callable

from juicebus._errors import Status

# Tries within so many milliseconds and returns a status.
Attempt = Callable[[int], int]

# Outcomes after which the same attempt may succeed later.
RETRY = (Status.TIMEOUT, Status.E_NOT_CONNECTED)
