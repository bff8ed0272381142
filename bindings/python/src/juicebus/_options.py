# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The keywords of the constructors become the library's options structs.

What is None has the library's default, and what is out of range the library refuses.
next: _subscriber.py, _publisher.py, _proxy.py
"""

from __future__ import annotations

import ctypes
import math
from typing import Any, Literal

from juicebus import _abi
from juicebus._errors import InvalidError
from juicebus._library import check, library

Overflow = Literal["block", "drop_oldest", "drop_newest"]
OverflowOfSubscriber = Literal["drop_oldest", "drop_newest"]

_OVERFLOWS = {
    "block": _abi.OVERFLOW_BLOCK,
    "drop_oldest": _abi.OVERFLOW_DROP_OLDEST,
    "drop_newest": _abi.OVERFLOW_DROP_NEWEST,
}


def options(init: Any, struct: type[ctypes.Structure], **values: int | None) -> ctypes.Structure:
    """Return an options struct: the library's defaults, and the values that are not None.

    Raises:
        InvalidError: A value is no whole number or does not fit 64 bits.
    """
    filled = struct()
    check(init(filled, ctypes.sizeof(struct)), struct.__name__)
    for name, value in values.items():
        if value is None:
            continue
        if not isinstance(value, int) or not -(2**63) <= value < 2**63:
            raise InvalidError(f"option {name}={value!r}: a whole number within 64 bits is needed")
        setattr(filled, name, value)
    return filled


def publisher_options(
    bind: bool, overflow: str, heartbeat: float | None, **counts: int | None
) -> ctypes.Structure:
    """Return a publisher's options.

    Raises:
        InvalidError: One cannot be used.
    """
    return options(
        library().juicebus_publisher_options_init,
        _abi.PublisherOptions,
        bind=bool(bind),
        overflow=_overflow(overflow, "block", "drop_oldest", "drop_newest"),
        heartbeat_ms=_heartbeat_ms(heartbeat),
        msgpack=True,
        **counts,
    )


def subscriber_options(
    overflow: str, heartbeat: float | None, **counts: int | None
) -> ctypes.Structure:
    """Return a subscriber's options.

    Raises:
        InvalidError: One cannot be used.
    """
    return options(
        library().juicebus_subscriber_options_init,
        _abi.SubscriberOptions,
        overflow=_overflow(overflow, "drop_oldest", "drop_newest"),
        heartbeat_ms=_heartbeat_ms(heartbeat),
        msgpack=True,
        **counts,
    )


def _heartbeat_ms(seconds: float | None) -> int:
    """Return a heartbeat in milliseconds; 0 for none.

    Raises:
        InvalidError: It is negative, NaN, no number, or more than C's field can hold.
    """
    if seconds is None:
        return 0
    try:
        valid = 0 <= seconds * 1000 < 2**31
    except TypeError:
        valid = False
    if not valid:
        raise InvalidError(f"option heartbeat={seconds!r}: None or seconds, 0 to 1800, are needed")
    return math.ceil(seconds * 1000)


def _overflow(name: str, *allowed: str) -> int:
    if name not in allowed:
        raise InvalidError(f"option overflow={name!r}: one of {', '.join(allowed)} is needed")
    return _OVERFLOWS[name]
