# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The short way for what is bulky in an event: arrays, and byte strings, of 32 KiB and more.

Such bytes cost what their copies cost, most of all where memory is fresh: the C library
gives large blocks back to the system, and every page of the next one is a fault. cbor2
writes into a buffer that it enlarges again and again, and reads through one copy more than
it keeps. Here each of them is copied once, and cbor2 gets the rest of the fields. Only the
values of fields are looked at; what lies deeper goes through cbor2. next: _cbor.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from juicebus import _cbor, _typed_arrays
from juicebus._memory import expect

BULK_BYTES = 1 << 15

# So many items of a payload are walked over, at most: beyond, cbor2 is the faster one.
_ITEMS_MAX = 256

_BYTES, _TEXT, _ARRAY, _MAP, _TAG = 2, 3, 4, 5, 6
_SELF_DESCRIBED = b"\xd9\xd9\xf7"
_PAIR = 0x82
_NULL = b"\xf6"


def dumps(fields: Any) -> bytes:
    """Return an event's fields as CBOR: the same bytes as _cbor's.

    Raises:
        Exception: As that.
    """
    if (
        type(fields) is not dict
        or not any(map(_is_bulky, fields.values()))
        or any(type(key) is not str for key in fields)
    ):
        return _cbor.dumps(fields)
    pieces: list[Any] = [_head(_MAP, len(fields))]
    for key, value in fields.items():
        pieces.append(_cbor.dumps(key))
        pieces.extend(_pieces(value) if _is_bulky(value) else (_cbor.dumps(value),))
    payload = b"".join(pieces)
    expect(len(payload))
    return payload


def _is_bulky(value: Any) -> bool:
    if type(value) is bytes:
        return len(value) >= BULK_BYTES
    numpy = sys.modules.get("numpy")
    # A subclass may be more than its elements, as a masked array is.
    return numpy is not None and type(value) is numpy.ndarray and value.nbytes >= BULK_BYTES


def _pieces(value: Any) -> Iterator[Any]:
    if type(value) is bytes:
        yield _head(_BYTES, len(value))
        yield value
        return
    tag = _typed_arrays.TAGS.get(value.dtype.str)
    if tag is None:
        yield _cbor.dumps(value)
        return
    if value.ndim != 1:
        yield _head(_TAG, _typed_arrays.SHAPED) + bytes([_PAIR]) + _cbor.dumps(list(value.shape))
    yield _head(_TAG, tag) + _head(_BYTES, value.nbytes)
    yield value if value.flags.c_contiguous else value.tobytes()


def _head(major: int, number: int) -> bytes:
    head = _cbor.dumps(number)
    return bytes([major << 5 | head[0]]) + head[1:]


def _loads(loads: Callable[[bytes], Any], decoders: _cbor.Decoders, payload: bytes) -> Any:
    """Return the fields of a payload that the library found well-formed.

    cbor2 reads it with a null in the place of everything bulky.
    """
    if len(payload) < BULK_BYTES:
        return loads(payload)
    expect(len(payload))
    data = memoryview(payload)
    bulky: dict[str, Any] = {}
    rest: list[Any] = []
    done = 0
    for key, start, end in _fields(data):
        value = _array_or_bytes(data, start, decoders) if end - start >= BULK_BYTES else None
        if value is not None:
            bulky[key] = value
            rest += data[done:start], _NULL
            done = end
    if not bulky:
        return loads(payload)
    rest.append(data[done:])
    fields = loads(b"".join(rest))
    fields.update(bulky)
    return fields


def _fields(data: memoryview) -> Iterator[tuple[str, int, int]]:
    """Yield the key of each field, and where its value starts and ends, as far as it walks."""
    at = 0
    while data[at : at + 3] == _SELF_DESCRIBED:
        at += 3
    _, count, at = _read_head(data, at)
    items_max = _ITEMS_MAX
    for _ in range(count):
        _, size, at = _read_head(data, at)
        key, start = data[at : at + size], at + size
        at, items = _end(data, start, items_max)
        items_max -= items
        if not start < at <= len(data):
            return
        yield str(key, "utf-8"), start, at


def _end(data: memoryview, at: int, items_max: int) -> tuple[int, int]:
    """Return where the value ends that starts at a place, and of how many items it is.

    The place is -1 if they are more than items_max.
    """
    missing = 1
    for items in range(1, items_max + 1):
        major, number, at = _read_head(data, at)
        missing -= 1
        if major in (_BYTES, _TEXT):
            at += number
        elif major == _ARRAY:
            missing += number
        elif major == _MAP:
            missing += 2 * number
        elif major == _TAG:
            missing += 1
        if not missing:
            return at, items
    return -1, items_max


def _array_or_bytes(data: memoryview, at: int, decoders: _cbor.Decoders) -> Any:
    """Return the value that starts at a place, None if it is of another kind."""
    major, number, at = _read_head(data, at)
    if major == _BYTES:
        return bytes(data[at : at + number])
    if major != _TAG or number not in decoders:
        return None
    if number == _typed_arrays.SHAPED:
        _, _, at = _read_head(data, at)
        end, _ = _end(data, at, _ITEMS_MAX)
        flat = _array_or_bytes(data, end, decoders)
        return None if flat is None else decoders[number]([_list(data[at:end]), flat], False)
    return decoders[number](_array_or_bytes(data, at, decoders), False)


def _list(data: memoryview) -> Any:
    return _cbor.loads_with_lists(bytes(data))


def _read_head(data: memoryview, at: int) -> tuple[int, int, int]:
    """Return what a value is, its number or size, and where its content starts."""
    major, low = divmod(data[at], 32)
    if low < 24:
        return major, low, at + 1
    end = at + 1 + (1 << (low - 24))
    return major, int.from_bytes(data[at + 1 : end], "big"), end


loads_with_lists = partial(_loads, _cbor.loads_with_lists, _typed_arrays.LIST_DECODERS)
loads_with_arrays = partial(_loads, _cbor.loads_with_arrays, _typed_arrays.NUMPY_DECODERS)
