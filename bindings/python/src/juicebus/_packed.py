# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Events and frames in one run of bytes, as the library takes many at once.

An array of ctypes structs costs several times as much. juicebus.h has the layout, at
juicebus_publisher_publish_packed and ..._send_packed. next: _publisher.py
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct, pack
from typing import NamedTuple

from juicebus._abi import PACKED_UNCHECKED
from juicebus._codec import as_bytes
from juicebus._errors import InvalidError
from juicebus._library import c_string

_ONE_FRAME = Struct("=IIII").pack
_TWO_SIZES = Struct("=III").pack


class Address(NamedTuple):
    """A name and a topic, as the library takes them: for one event, and packed."""

    name: bytes
    topic: bytes
    sizes: tuple[int, int]
    packed: bytes


def address(name: str, topic: str | None) -> Address:
    """Return the address of an event.

    Raises:
        InvalidError, TypeError: The name or the topic cannot be one.
    """
    name_bytes, topic_bytes = c_string("event name", name), c_string("topic", topic or "")
    sizes = len(name_bytes), len(topic_bytes)
    return Address(name_bytes, topic_bytes, sizes, b"%b\0%b\0" % (name_bytes, topic_bytes))


def pack_event(to: Address, payload: bytes) -> bytes:
    """Return an event with one payload frame."""
    return _ONE_FRAME(*to.sizes, 1, len(payload)) + to.packed + payload


def pack_frames_of_event(to: Address, frames: Sequence[bytes]) -> bytes:
    """Return an event with frames of its own, any number, which are sent as they are."""
    if len(frames) == 1:
        frame = frames[0]
        return _ONE_FRAME(*to.sizes, 1 | PACKED_UNCHECKED, len(frame)) + to.packed + frame
    count = len(frames) | PACKED_UNCHECKED
    sizes = pack(f"={3 + len(frames)}I", *to.sizes, count, *map(len, frames))
    return b"".join((sizes, to.packed, *frames))


def pack_frames(frames: Sequence[bytes]) -> bytes:
    """Return frames alone, the key first.

    Raises:
        InvalidError: They are no list.
    """
    if isinstance(frames, (bytes, bytearray, memoryview, str)):
        raise InvalidError("send_frame: a list of frames is needed, the key first")
    all_bytes = [*map(as_bytes, frames)]
    if len(all_bytes) == 2:
        key, payload = all_bytes
        return _TWO_SIZES(2, len(key), len(payload)) + key + payload
    sizes = pack(f"={1 + len(all_bytes)}I", len(all_bytes), *map(len, all_bytes))
    return b"".join((sizes, *all_bytes))
