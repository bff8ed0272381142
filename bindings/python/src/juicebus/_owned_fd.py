# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""File descriptors that the library gives us, closed exactly once."""

from __future__ import annotations

import ctypes
import os
from typing import Any
from weakref import finalize

from juicebus._library import check


class OwnedFd:
    """A file descriptor that is closed by close(), or with this object."""

    def __init__(self, fd: int) -> None:
        """Take over an open file descriptor."""
        self.fd = fd
        self.close = finalize(self, os.close, fd)
        self.close.atexit = False


def fd_of(function: Any, handle: int, asked: str) -> OwnedFd:
    """Return the file descriptor that one of the library's ..._fd functions gives.

    Raises:
        ClosedError, SystemFault: The library has none to give.
    """
    fd = ctypes.c_int()
    check(function(handle, ctypes.byref(fd)), asked)
    return OwnedFd(fd.value)
