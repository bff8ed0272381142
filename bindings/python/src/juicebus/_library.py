# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Finds and loads libjuicebus.so.1, once, when it is first needed.

The environment variable JUICEBUS_LIBRARY names the file; without it, the one inside this
package is taken. Everything that calls the library gets it from here, and turns what it
returns into exceptions here. next: _subscriber.py, _publisher.py, _proxy.py
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path

from juicebus._abi import ABI_VERSION, FUNCTIONS, RESULTS
from juicebus._errors import InvalidError, Status, error_for

_FILE = "libjuicebus.so.1"

_lock = threading.RLock()
_loaded: ctypes.CDLL | None = None
_process_ends = False


def library() -> ctypes.CDLL:
    """Return the library; any thread; the first call loads it.

    Raises:
        ImportError: It is missing, cannot be loaded, or has another ABI. The text says
            which file, which version and what to install.
    """
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = _load(_path())
    return _loaded


def is_loaded() -> bool:
    """Tell whether the library is in use in this process."""
    return _loaded is not None


def check(status: int, asked: str) -> None:
    """Raise the exception for a status that is not OK.

    Args:
        status: What a function of the library returned to this thread, just now.
        asked: What was asked and of whom, for the outcomes without a text of their own.
    """
    if status == Status.OK:
        return
    if status == Status.CLOSED:
        leave_ending_process()
    if status > 0:
        raise error_for(status, f"{asked}: {text(library().juicebus_status_text(status))}")
    raise error_for(status, text(library().juicebus_last_error()))


def process_ends() -> None:
    """Note that publishers are closed because the process ends."""
    global _process_ends
    _process_ends = True


def leave_ending_process() -> None:
    """End a daemon thread that has found its publisher closed by the end of the process.

    It has done nothing wrong: no traceback is printed for SystemExit in a thread.
    """
    if _process_ends and threading.current_thread() is not threading.main_thread():
        raise SystemExit


def text(raw: bytes | None) -> str:
    """Return the library's text as str."""
    return (raw or b"").decode("utf-8", "replace")


def c_string(what: str, value: str) -> bytes:
    """Return a str as UTF-8 for C.

    Raises:
        InvalidError: It holds a NUL, where C would end it, or is not valid Unicode.
        TypeError: It is no str.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} {value!r}: a str is needed, not {type(value).__name__}")
    try:
        raw = value.encode()
    except UnicodeEncodeError as exc:
        raise InvalidError(f"{what} {value!r}: not valid UTF-8") from exc
    if 0 in raw:
        raise InvalidError(f"{what} {value!r}: holds a NUL character")
    return raw


def _path() -> str:
    return os.environ.get("JUICEBUS_LIBRARY") or str(Path(__file__).parent / _FILE)


def _load(path: str) -> ctypes.CDLL:
    if not Path(path).exists():
        raise ImportError(
            f"juicebus: {path} does not exist; install the juicebus wheel for this platform, or "
            f"build {_FILE} and name it in the environment variable JUICEBUS_LIBRARY",
            name="juicebus",
            path=path,
        )
    try:
        lib = ctypes.CDLL(path)
        lib.juicebus_abi_version.argtypes = []
        found = lib.juicebus_abi_version()
    except OSError as exc:
        raise ImportError(
            f"juicebus: {path}: {exc}{_advice(exc)}", name="juicebus", path=path
        ) from exc
    except AttributeError as exc:
        raise ImportError(
            f"juicebus: {path} is not {_FILE}: it has no juicebus_abi_version",
            name="juicebus",
            path=path,
        ) from exc
    if found != ABI_VERSION:
        raise ImportError(
            f"juicebus: {path} has ABI version {found}, this package needs {ABI_VERSION}; "
            f"install the {_FILE} that belongs to this package",
            name="juicebus",
            path=path,
        )
    return _declare(lib, path)


def _advice(exc: OSError) -> str:
    if "libzmq" in str(exc):
        return "; install ZeroMQ, on Debian and Ubuntu: apt install libzmq5"
    return f"; install the {_FILE} for this platform"


def _declare(lib: ctypes.CDLL, path: str) -> ctypes.CDLL:
    for name, argtypes in FUNCTIONS.items():
        try:
            function = getattr(lib, name)
        except AttributeError as exc:
            raise ImportError(
                f"juicebus: {path} has no {name}; install the {_FILE} that belongs to this package",
                name="juicebus",
                path=path,
            ) from exc
        function.argtypes = argtypes
        function.restype = RESULTS.get(name, ctypes.c_int)
    # This one never enters Go and never blocks: it keeps the interpreter's lock.
    free = ctypes.PyDLL(path).juicebus_batch_free
    free.argtypes, free.restype = FUNCTIONS["juicebus_batch_free"], ctypes.c_int
    lib.juicebus_batch_free = free  # type: ignore[attr-defined]
    return lib
