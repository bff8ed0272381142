# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The library's conversions between CBOR and MessagePack, which it does not export."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parents[2] / "core" / "internal" / "socket"


def cbor_of(payload: bytes) -> bytes:
    """Return a payload of MessagePack as CBOR, b"" if that cannot be; any other as it is."""
    lib = _library()
    if not lib.jb_begins_msgpack(payload, len(payload)):
        return payload
    return _converted(lib.jb_cbor_of_msgpack, payload)


def msgpack_of(payload: bytes) -> bytes:
    """Return a payload of CBOR as MessagePack; b"" if it has no such form."""
    lib = _library()
    if not lib.jb_is_plain_cbor(payload, len(payload)):
        return b""
    return _converted(lib.jb_msgpack_of_cbor, payload)


def _converted(function: Any, payload: bytes) -> bytes:
    out = ctypes.create_string_buffer(4 * len(payload) + 64)
    size = function(payload, len(payload), out, len(out))
    return out.raw[:size]


@lru_cache(maxsize=1)
def _library() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "converting.so"
        names = ("cbor_of_msgpack.c", "msgpack_of_cbor.c", "plain.c")
        command = [
            os.environ.get("CC", "cc"),
            "-std=c11",
            "-O1",
            "-shared",
            "-fPIC",
            "-o",
            str(path),
        ]
        subprocess.run([*command, *(str(SOURCES / name) for name in names)], check=True)
        lib = ctypes.CDLL(str(path))
    for convert in (lib.jb_cbor_of_msgpack, lib.jb_msgpack_of_cbor):
        convert.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
        convert.restype = ctypes.c_size_t
    for judge in (lib.jb_begins_msgpack, lib.jb_is_plain_cbor):
        judge.argtypes, judge.restype = [ctypes.c_char_p, ctypes.c_size_t], ctypes.c_int
    return lib
