# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What can go wrong: the library's statuses, and one exception class for each kind.

The numbers are those of juicebus.h. Every exception is a JuicebusError and also the
built-in that fits, so that code that knows nothing of juicebus can catch it. A timeout
is the built-in TimeoutError. next: _library.py
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """A status of the C library: 0 success, positive an outcome, negative an error."""

    OK = 0
    TIMEOUT = 1
    CLOSED = 2
    UNCONFIRMED = 3
    E_INVALID = -1
    E_HANDLE = -2
    E_URI = -3
    E_AMBIGUOUS = -4
    E_PAYLOAD = -5
    E_TOO_LARGE = -6
    E_NOT_CONNECTED = -7
    E_FORKED = -8
    E_PANIC = -9
    E_SYSTEM = -10


class JuicebusError(Exception):
    """Base class of all errors of this package; by itself, a defect in the library."""


class InvalidError(JuicebusError, ValueError):
    """An argument, an option, a URI or an event that cannot be used."""


class DecodeError(JuicebusError, ValueError):
    """An event that was received but cannot be decoded; names its key and the reason."""


class AmbiguousNameError(JuicebusError, RuntimeError):
    """Two event types that could not be told apart on the wire."""


class ClosedError(JuicebusError, RuntimeError):
    """The object was closed, before the call or during it."""


class ForkedError(JuicebusError, RuntimeError):
    """The library was used in a child of fork(), where its threads do not exist."""


class NotConnectedError(JuicebusError, ConnectionError):
    """There is no proxy, and without a queue nothing to wait in; with bind, no subscriber."""


class SystemFault(JuicebusError, OSError):
    """The operating system or libzmq refused."""


FORKED_TEXT = (
    "juicebus was loaded before this process was forked, and its threads do not exist here; "
    "start processes with the multiprocessing start method spawn or forkserver"
)

_CLASSES: dict[int, type[Exception]] = {
    Status.TIMEOUT: TimeoutError,
    Status.CLOSED: ClosedError,
    Status.E_INVALID: InvalidError,
    Status.E_URI: InvalidError,
    Status.E_AMBIGUOUS: AmbiguousNameError,
    Status.E_PAYLOAD: InvalidError,
    Status.E_TOO_LARGE: InvalidError,
    Status.E_NOT_CONNECTED: NotConnectedError,
    Status.E_FORKED: ForkedError,
    Status.E_SYSTEM: SystemFault,
}


def error_for(status: int, text: str) -> Exception:
    """Return the exception for a status that is not OK, with this text."""
    if status == Status.E_FORKED:
        text = FORKED_TEXT
    return _CLASSES.get(status, JuicebusError)(text)
