# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Reads a batch of received events out of the library's memory, and frees it.

The library gives one block of data and an array of structs that point into it. Both are
read through memoryviews: one pass, one copy of each payload, no ctypes object for each
event. next: _subscriber.py
"""

from __future__ import annotations

import ctypes
from struct import Struct
from typing import NamedTuple

from juicebus import _abi

# juicebus_event and juicebus_frame, laid out as _abi.Event and _abi.Frame.
EVENT = Struct("@PPPNPNNNiiP")
FRAME = Struct("@PN")

_PyBUF_READ = 0x100
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
        base = batch.data
        data = memoryview(b"") if base is None else _view_of(base, batch.data_size, _PyBUF_READ)
        events = _view_of(batch.events, batch.count * EVENT.size, _PyBUF_READ)
        raws = []
        for fields in EVENT.iter_unpack(events):
            name, topic, payload, size, frames_at, count, name_size, topic_size = fields[:8]
            frames: tuple[bytes, ...]
            if count == 1:
                frames = (data[payload - base : payload - base + size].tobytes(),)
            else:
                frames = tuple(_frame(at, n) for at, n in _frames(frames_at, count))
            raws.append(
                Raw(
                    data[name - base : name - base + name_size].tobytes(),
                    data[topic - base : topic - base + topic_size].tobytes() if topic_size else b"",
                    fields[8],
                    frames,
                )
            )
        return raws
    finally:
        lib.juicebus_batch_free(batch)


def _frames(address: int, count: int) -> list[tuple[int, int]]:
    if not count:
        return []
    return list(FRAME.iter_unpack(_view_of(address, count * FRAME.size, _PyBUF_READ)))


def _frame(address: int, size: int) -> bytes:
    return _view_of(address, size, _PyBUF_READ).tobytes() if size else b""
