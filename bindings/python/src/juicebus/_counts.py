# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How many events a get takes from the library at a time."""

from __future__ import annotations

from juicebus._errors import InvalidError

# Events taken ahead: enough to make the crossing cheap, few enough to forget at close.
PREFETCH_EVENTS = 64


def checked_max(max_events: int) -> int:
    """Return the number of events that a get_many asks for.

    Raises:
        InvalidError: It is no whole number from 1 up.
    """
    if not isinstance(max_events, int) or max_events < 1:
        raise InvalidError(f"get_many({max_events!r}): a whole number from 1 up is needed")
    return min(max_events, 2**31)
