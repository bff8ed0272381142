# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Arrays of numbers as RFC 8746 typed arrays: bytes behind a tag that tells their type.

One-dimensional numeric arrays are one byte string (tags 64 to 87). Tag 40 puts a shape
before it, and carries arrays of booleans and texts, which have no tag, as lists. An event
class that mentions NumPy gets NumPy arrays, every other one lists. NumPy is not imported
before an array is there. That a tag fits its content, and a shape its values, is checked
by the library. next: _cbor.py
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cbor2 import CBORTag

if TYPE_CHECKING:
    import numpy as np

SHAPED = 40

# Tag: byte order, kind of number and its size, as NumPy spells them.
_TYPES = {
    64: "|u1",
    65: ">u2",
    66: ">u4",
    67: ">u8",
    68: "|u1",
    69: "<u2",
    70: "<u4",
    71: "<u8",
    72: "|i1",
    73: ">i2",
    74: ">i4",
    75: ">i8",
    77: "<i2",
    78: "<i4",
    79: "<i8",
    80: ">f2",
    81: ">f4",
    82: ">f8",
    84: "<f2",
    85: "<f4",
    86: "<f8",
}
TAGS = {name: tag for tag, name in _TYPES.items() if tag != 68}
_LONG_FLOATS = (83, 87)
_STRUCT_CODES = dict(u1="B", u2="H", u4="I", u8="Q", i1="b", i2="h", i4="i", i8="q")
_STRUCT_CODES.update(f2="e", f4="f", f8="d")


def tagged(array: np.ndarray[Any, Any]) -> CBORTag:
    """Return a NumPy array as a tagged CBOR value.

    Raises:
        ValueError: Its element type has no CBOR form.
    """
    values: Any
    if array.dtype.kind in "bU":
        values = array.ravel().tolist()
    elif array.dtype.str in TAGS:
        flat = CBORTag(TAGS[array.dtype.str], array.tobytes())
        if array.ndim == 1:
            return flat
        values = flat
    else:
        raise ValueError(f"a numpy array of {array.dtype} has no CBOR form")
    return CBORTag(SHAPED, [list(array.shape), values])


def _to_list(tag: int, data: Any, immutable: bool) -> list[Any]:
    order, code = _TYPES[tag][0].replace("|", "<"), _STRUCT_CODES[_TYPES[tag][1:]]
    count = len(data) // struct.calcsize(order + code)
    return list(struct.unpack(f"{order}{count}{code}", data))


def _to_nested_list(value: Any, immutable: bool) -> Any:
    shape, flat = value
    return _nested(shape, flat) if flat else []


def _nested(shape: list[int], flat: Any) -> Any:
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return flat
    step = len(flat) // shape[0]
    return [_nested(shape[1:], flat[i * step : (i + 1) * step]) for i in range(shape[0])]


def _to_numpy(tag: int, data: Any, immutable: bool) -> Any:
    import numpy as np

    return np.frombuffer(data, dtype=_TYPES[tag])


def _to_shaped_numpy(value: Any, immutable: bool) -> Any:
    import numpy as np

    shape, flat = value
    return np.asarray(flat).reshape(shape)


def _refuse(tag: int, data: Any, immutable: bool) -> Any:
    raise ValueError(f"tag {tag}: 128-bit floats cannot be read")


def _decoders(
    flat: Callable[[int, Any, bool], Any], shaped: Callable[[Any, bool], Any]
) -> Mapping[int, Callable[[Any, bool], Any]]:
    decoders: dict[int, Callable[[Any, bool], Any]] = {tag: partial(flat, tag) for tag in _TYPES}
    decoders.update({tag: partial(_refuse, tag) for tag in _LONG_FLOATS})
    decoders[SHAPED] = shaped
    return MappingProxyType(decoders)


LIST_DECODERS = _decoders(_to_list, _to_nested_list)
NUMPY_DECODERS = _decoders(_to_numpy, _to_shaped_numpy)
