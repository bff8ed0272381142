# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What happens to open objects when the process forks or ends.

In a child of fork() the library must not be entered: the child's copies forget what they
hold, and the next call raises ForkedError. At the end of a process the events of
publishers that nobody closed are handed to the network, within a second.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
from typing import Protocol
from weakref import WeakSet

from juicebus._library import library

_HAND_OVER_MS = 1000


class Forgetful(Protocol):
    """An object that holds something of the library's."""

    def _forget_in_child(self) -> None:
        """Make a copy in a forked child harmless. No other thread is there."""


_live: WeakSet[Forgetful] = WeakSet()
_open_publishers: set[int] = set()
_hooks_of_process = 0
_waits_at_exit = False


def track(opened: Forgetful) -> None:
    """Tell an object when it finds itself in a forked child."""
    _live.add(opened)


def publisher_opened(handle: int) -> None:
    """Note a publisher, to be closed at the end of the process."""
    global _hooks_of_process, _waits_at_exit
    _open_publishers.add(handle)
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


def close_publisher(lib: ctypes.CDLL, handle: int, pid: int, timeout_ms: int) -> int:
    """Close a publisher, unless this process is a forked child; return the status."""
    if os.getpid() != pid:
        return 0
    _open_publishers.discard(handle)
    status: int = lib.juicebus_publisher_close(handle, timeout_ms)
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
    for handle in list(_open_publishers):
        library().juicebus_publisher_close(handle, 0)
    _open_publishers.clear()
    library().juicebus_wait_closed(_HAND_OVER_MS)


def _forget_in_child() -> None:
    global _waits_at_exit
    _waits_at_exit = False
    _open_publishers.clear()
    for opened in list(_live):
        opened._forget_in_child()


os.register_at_fork(after_in_child=_forget_in_child)
