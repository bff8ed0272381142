# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Reads a batch of received events out of the library's memory, and frees it.

The library gives one block of memory with everything in it: payloads, names and the array
of structs that points to them. A small block is copied whole, and sliced; a large one is
read through a memoryview, so that a payload is copied once. No ctypes object is made for
an event: at a low rate, each step costs several times what it costs in a loop, because
nothing of it is in the processor's caches. next: _subscriber.py
"""

from __future__ import annotations

import ctypes
from struct import Struct
from typing import NamedTuple

from juicebus import _abi

# juicebus_event and juicebus_frame, laid out as _abi.Event and _abi.Frame.
EVENT = Struct("@PPPNPNNNiiP")
FRAME = Struct("@PN")
BATCH = Struct("@PNPNQ")

# Up to this size a copy of the block is cheaper than a view of it.
_COPIED_BYTES_MAX = 1 << 16

_new_tuple = tuple.__new__

_PyBUF_READ = 0x100
_copy_of = ctypes.pythonapi.PyBytes_FromStringAndSize
_copy_of.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t]
_copy_of.restype = ctypes.py_object
_view_of = ctypes.pythonapi.PyMemoryView_FromMemory
_view_of.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int]
_view_of.restype = ctypes.py_object


class Raw(NamedTuple):
    """An event as it came: not decoded yet."""

    name: bytes
    topic: bytes
    format: int
    frames: tuple[bytes, ...]

    def size(self) -> int:
        """Return the bytes of its key and its payload."""
        key = len(self.name) + 1 + (len(self.topic) + 1 if self.topic else 0)
        return key + sum(map(len, self.frames))

    def key(self) -> str:
        """Return its key as text, for errors."""
        return (self.name + b"." + (self.topic + b"." if self.topic else b"")).decode()


def take(lib: ctypes.CDLL, batch: _abi.Batch) -> list[Raw]:
    """Return the events of a batch that the library filled, and free the batch."""
    try:
        events, count, base, size, _ = BATCH.unpack(batch)
        small = size <= _COPIED_BYTES_MAX
        data = _copy_of(base, size) if small else _view_of(base, size, _PyBUF_READ)
        first = events - base
        raws = []
        for (
            name,
            topic,
            payload,
            payload_size,
            frames_at,
            frame_count,
            name_size,
            topic_size,
            format,
            _,
            _,
        ) in EVENT.iter_unpack(data[first : first + count * EVENT.size]):
            if frame_count == 1:
                payload -= base
                frames: tuple[bytes, ...] = (bytes(data[payload : payload + payload_size]),)
            else:
                frames = tuple(_frame(*frame) for frame in _frames(frames_at, frame_count))
            name -= base
            topic -= base
            raw = (
                bytes(data[name : name + name_size]),
                bytes(data[topic : topic + topic_size]) if topic_size else b"",
                format,
                frames,
            )
            raws.append(_new_tuple(Raw, raw))  # spares the frame of the class's own __new__
        return raws
    finally:
        lib.juicebus_batch_free(batch)


def _frames(address: int, count: int) -> list[tuple[int, int]]:
    if not count:
        return []
    return list(FRAME.iter_unpack(_view_of(address, count * FRAME.size, _PyBUF_READ)))


def _frame(address: int, size: int) -> bytes:
    return _view_of(address, size, _PyBUF_READ).tobytes() if size else b""
