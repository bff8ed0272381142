# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Reads a batch of received events out of the library's memory, and frees it.

The library gives one block of memory with everything in it: payloads, keys and the array
of structs that points to them. A block of small events is copied whole, and sliced; one of
large events is read through a memoryview, so that a payload is copied once. No ctypes
object is made for an event: at a low rate, each step costs several times what it costs in
a loop, because nothing of it is in the processor's caches. next: _subscriber.py
"""

from __future__ import annotations

import ctypes
from struct import Struct, calcsize

from juicebus import _abi

# An event as it came: its key, which is the name, a NUL and the topic; the format and the
# payload; and its size on the wire. Of the format FRAMES, the payload is a tuple of frames.
Raw = tuple[bytes, int, "bytes | tuple[bytes, ...]", int]

# Of an event that has not one frame; else it is the library's format.
FRAMES = 4

# juicebus_event and juicebus_frame, laid out as _abi.Event and _abi.Frame; of an event
# without the topic's address, which lies behind the name, and what is the library's own.
_PAD = f"{calcsize('P')}x"
EVENT = Struct(f"@P{_PAD}PNPNNNNi4x{_PAD}")
FRAME = Struct("@PN")
BATCH = Struct("@PNPNQ")

# Up to so many bytes, or so many an event, a copy of the block is cheaper than its views.
_COPIED_BYTES_MAX = 1 << 16
_COPIED_BYTES_PER_EVENT_MAX = 1 << 11

_PyBUF_READ = 0x100
_copy_of = ctypes.pythonapi.PyBytes_FromStringAndSize
_copy_of.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t]
_copy_of.restype = ctypes.py_object
_view_of = ctypes.pythonapi.PyMemoryView_FromMemory
_view_of.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int]
_view_of.restype = ctypes.py_object


def take(lib: ctypes.CDLL, batch: _abi.Batch) -> list[Raw]:
    """Return the events of a batch that the library filled, and free the batch."""
    try:
        events, count, base, size, _ = BATCH.unpack(batch)
        first = events - base
        last = first + count * EVENT.size
        if size > max(_COPIED_BYTES_MAX, count * _COPIED_BYTES_PER_EVENT_MAX):
            return _read_large(_view_of(base, size, _PyBUF_READ), base, first, last)
        data = _copy_of(base, size)
        return [
            (
                data[(key := name - base) : key + name_size + topic_size + 1],
                format,
                data[(at := payload - base) : at + payload_size],
                wire_size,
            )
            if frame_count == 1
            else (
                data[(key := name - base) : key + name_size + topic_size + 1],
                FRAMES,
                _frames(frames, frame_count),
                wire_size,
            )
            for (
                name,
                payload,
                payload_size,
                frames,
                frame_count,
                name_size,
                topic_size,
                wire_size,
                format,
            ) in EVENT.iter_unpack(data[first:last])
        ]
    finally:
        lib.juicebus_batch_free(batch)


def name_of(key: bytes) -> bytes:
    """Return the name in an event's key."""
    return key.partition(b"\0")[0]


def described(key: bytes) -> str:
    """Return an event's key as the wire has it, as text for errors."""
    name, _, topic = key.partition(b"\0")
    return (name + b"." + (topic + b"." if topic else b"")).decode()


def _read_large(data: memoryview, base: int, first: int, last: int) -> list[Raw]:
    raws: list[Raw] = []
    for (
        name,
        payload,
        payload_size,
        frames,
        frame_count,
        name_size,
        topic_size,
        wire_size,
        format,
    ) in EVENT.iter_unpack(data[first:last]):
        at = name - base
        key = bytes(data[at : at + name_size + topic_size + 1])
        if frame_count == 1:
            at = payload - base
            raws.append((key, format, bytes(data[at : at + payload_size]), wire_size))
        else:
            raws.append((key, FRAMES, _frames(frames, frame_count), wire_size))
    return raws


def _frames(address: int, count: int) -> tuple[bytes, ...]:
    if not count:
        return ()
    view = _view_of(address, count * FRAME.size, _PyBUF_READ)
    return tuple(
        _view_of(at, size, _PyBUF_READ).tobytes() if size else b""
        for at, size in FRAME.iter_unpack(view)
    )
