# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What happens to open objects when the process forks or ends, and to events at a close.

In a child of fork() the library must not be entered: the child's copies forget what they
hold, and the next call raises ForkedError. At the end of a process the events of
publishers that nobody closed are handed to the network, within a second. Events that a
close could not hand over are told of, in one warning.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import time
from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeVar
from weakref import WeakSet

from juicebus._errors import Status
from juicebus._library import library, process_ends
from juicebus._log import logger
from juicebus._slices import repeat
from juicebus._timeout import deadline

# For so long the library goes on with a publisher that nobody waits for.
BACKGROUND_S = 1.0
# At the end of a process there is less: it is to be over within a second.
_AT_EXIT_MS = 800
# By then it has certainly said what it gave up.
_TOLD_S = 10.0


class Forgetful(Protocol):
    """An object that holds something of the library's."""

    def _forget_in_child(self) -> None:
        """Make a copy in a forked child harmless. No other thread is there."""


class Resting(Protocol):
    """An object that holds something which a forked child would share."""

    def rest(self) -> None:
        """Give back what nobody needs just now."""


class _Closed(NamedTuple):
    """A closed publisher, and how many events of it the library still had, at most."""

    uri: str
    left: int
    at: float


_Tracked = TypeVar("_Tracked")

_live: WeakSet[Forgetful] = WeakSet()
_resting: WeakSet[Resting] = WeakSet()
_open_publishers: dict[int, str] = {}
_handing_over: dict[int, _Closed] = {}
_hooks_of_process = 0
_waits_at_exit = False


def track(opened: Forgetful) -> None:
    """Tell an object, complete as it is, when it finds itself in a forked child."""
    _live.add(opened)


def track_before_fork(resting: Resting) -> None:
    """Let an object rest before each fork."""
    _resting.add(resting)


def publisher_opened(handle: int, uri: str) -> None:
    """Note a publisher, to be closed at the end of the process."""
    global _hooks_of_process, _waits_at_exit
    _open_publishers[handle] = uri
    _waits_at_exit = True
    if _hooks_of_process == os.getpid():
        return
    if not _hooks_of_process:
        atexit.register(_hand_over)
    if "multiprocessing.util" in sys.modules:
        # A child of multiprocessing ends without atexit, but runs these.
        from multiprocessing.util import Finalize

        Finalize(None, _hand_over, exitpriority=0)
    _hooks_of_process = os.getpid()


def close_publisher(
    lib: ctypes.CDLL, handle: int, uri: str, pid: int, timeout: float | None
) -> int:
    """Close a publisher, unless this process is a forked child; return the status.

    Waits up to timeout seconds, None for ever, in slices that let Ctrl-C through.
    """
    if os.getpid() != pid:
        return 0
    _open_publishers.pop(handle, None)
    limit = deadline(timeout)
    close, left = lib.juicebus_publisher_close_counted, ctypes.c_uint64()
    status: int = Status.TIMEOUT
    told = False
    try:
        status = repeat(lambda timeout_ms: close(handle, timeout_ms, left), limit)
        told = status == Status.TIMEOUT and (timeout is None or timeout >= BACKGROUND_S)
    finally:  # also when Ctrl-C ends it
        if told:
            _tell_given_up(left.value, [uri])
        elif status == Status.TIMEOUT:
            if _handing_over:
                wait_closed(0)
            _handing_over[handle] = _Closed(uri, left.value, time.monotonic())
    return status


def close_again(lib: ctypes.CDLL, handle: int, pid: int) -> int:
    """Let the library go on with a closed publisher, and return whether it is done."""
    if os.getpid() != pid:
        return 0
    status: int = lib.juicebus_publisher_close_counted(handle, 0, ctypes.c_uint64())
    return status


def wait_closed(timeout_ms: int) -> int:
    """Wait for what goes on in the background, and tell what it gave up; return the status."""
    given_up = ctypes.c_uint64()
    status: int = library().juicebus_wait_closed(timeout_ms, given_up)
    uris, at_most = _left()
    told = time.monotonic() - _TOLD_S
    for closed, publisher in list(_handing_over.items()):
        if status == Status.OK or publisher.at < told:
            _handing_over.pop(closed, None)
    # A close that waited until the time was up has told of its events already.
    _tell_given_up(min(given_up.value, at_most), uris)
    return status


def close_subscriber(lib: ctypes.CDLL, handle: int, pid: int) -> None:
    """Close a subscriber, unless this process is a forked child."""
    if os.getpid() == pid:
        lib.juicebus_subscriber_close(handle)


def close_proxy(lib: ctypes.CDLL, handle: int, pid: int) -> None:
    """Close a proxy, unless this process is a forked child."""
    if os.getpid() == pid:
        lib.juicebus_proxy_close(handle)


def _hand_over() -> None:
    global _waits_at_exit
    if not _waits_at_exit:
        return
    _waits_at_exit = False
    process_ends()
    for handle, uri in list(_open_publishers.items()):
        close_publisher(library(), handle, uri, os.getpid(), 0)
    if wait_closed(_AT_EXIT_MS) != Status.OK:
        # They end with the process.
        uris, at_most = _left()
        _tell_given_up(at_most, uris)


def _left() -> tuple[list[str], int]:
    left = list(_handing_over.values())
    return [each.uri for each in left if each.left], sum(each.left for each in left)


def _tell_given_up(events: int, uris: Iterable[str]) -> None:
    if events:
        logger().warning(
            "closed before all was sent: at most %d events to %s are lost",
            events,
            ", ".join(sorted(set(uris))),
        )


def _members(tracked: WeakSet[_Tracked]) -> list[_Tracked]:
    while True:
        try:
            return list(tracked)
        except RuntimeError:  # another thread has added one meanwhile
            continue


def _rest_before_fork() -> None:
    for resting in _members(_resting):
        resting.rest()


def _forget_in_child() -> None:
    global _waits_at_exit
    _waits_at_exit = False
    _open_publishers.clear()
    _handing_over.clear()
    for opened in _members(_live):
        opened._forget_in_child()


os.register_at_fork(before=_rest_before_fork, after_in_child=_forget_in_child)
