# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Fields to CBOR and back, within what the wire allows.

cbor2 would write tags that no receiver accepts (sets, dates, networks, fractions) and
keys that are no text; the encoders here write those in pydantic's JSON form instead.
Decoding trusts that the library has checked the payload before. next: _codec.py
"""

from __future__ import annotations

import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from re import Pattern
from typing import Any

import cbor2
from pydantic_core import to_jsonable_python

from juicebus import _typed_arrays

Decoders = Mapping[int, Callable[[Any, bool], Any]]

# The library allows 400; it and not cbor2 is to decide.
_DEPTH_MAX = 1000
_MINUTE = timedelta(minutes=1)


def dumps(value: Any) -> bytes:
    """Return fields, or one value, as CBOR.

    Raises:
        Exception: A value has no CBOR form; of whatever class, with the reason.
    """
    return cbor2.dumps(value, encoders=_ENCODERS, default=_encode_other)


def _encode_map(encoder: cbor2.CBOREncoder, value: dict[Any, Any]) -> None:
    for key in value:
        if type(key) is not str:
            break
    else:
        encoder.encode_map(value)
        return
    keys = to_jsonable_python(dict.fromkeys(value))
    if len(keys) != len(value):
        raise ValueError(f"two keys of a map have the same text: {list(value)!r:.200}")
    encoder.encode_map(dict(zip(keys, value.values(), strict=True)))


def _encode_datetime(encoder: cbor2.CBOREncoder, value: datetime) -> None:
    offset = value.utcoffset()
    if offset is None:
        encoder.encode_string(value.isoformat())
        return
    if offset.microseconds or offset.seconds % 60:
        # RFC 3339 has no offsets with seconds; the instant stays the same.
        try:
            value = value.astimezone(timezone(round(offset / _MINUTE) * _MINUTE))
        except OverflowError:
            raise ValueError(f"{value} has no form with an offset of whole minutes") from None
    encoder.encode_semantic(0, value.isoformat())


def _encode_decimal(encoder: cbor2.CBOREncoder, value: Decimal) -> None:
    # Tag 4 has an integer for its digits: no NaN, no infinity, no -0.
    if value.is_finite() and (value or not value.is_signed()):
        encoder.encode_decimal(value)
    else:
        encoder.encode_string(str(value))


def _encode_list(encoder: cbor2.CBOREncoder, value: Any) -> None:
    encoder.encode_array(list(value))


def _encode_bytes(encoder: cbor2.CBOREncoder, value: memoryview) -> None:
    encoder.encode_bytes(value.tobytes())


def _encode_json(encoder: cbor2.CBOREncoder, value: Any) -> None:
    encoder.encode(to_jsonable_python(value, inf_nan_mode="strings"))


def _encode_other(encoder: cbor2.CBOREncoder, value: Any) -> None:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        encoder.encode(_typed_arrays.tagged(value))
    elif numpy is not None and isinstance(value, numpy.generic):
        # longdouble's item() is a longdouble again.
        plain = value.item()
        encoder.encode(float(value) if isinstance(plain, numpy.generic) else plain)
    elif isinstance(value, Enum):
        encoder.encode(value.value)
    elif isinstance(value, datetime):
        _encode_datetime(encoder, value)
    else:
        _encode_json(encoder, value)


_ENCODERS: dict[type, Callable[[cbor2.CBOREncoder, Any], None]] = {
    dict: _encode_map,
    OrderedDict: _encode_map,
    defaultdict: _encode_map,
    datetime: _encode_datetime,
    Decimal: _encode_decimal,
    set: _encode_list,
    frozenset: _encode_list,
    memoryview: _encode_bytes,
}
_ENCODERS.update(
    dict.fromkeys(
        (
            date,
            complex,
            Fraction,
            Pattern,
            IPv4Address,
            IPv4Interface,
            IPv4Network,
            IPv6Address,
            IPv6Interface,
            IPv6Network,
        ),
        _encode_json,
    )
)


def _decode_self_described(value: Any, immutable: bool) -> Any:
    return value


_PLAIN_DECODERS: Decoders = {55799: _decode_self_described}
# They return the value of a payload that the library found well-formed, with lists or
# arrays in it, or raise an exception of whatever class: a tag's content does not fit.
loads_with_lists = partial(
    cbor2.loads,
    semantic_decoders={**_PLAIN_DECODERS, **_typed_arrays.LIST_DECODERS},
    max_depth=_DEPTH_MAX,
)
loads_with_arrays = partial(
    cbor2.loads,
    semantic_decoders={**_PLAIN_DECODERS, **_typed_arrays.NUMPY_DECODERS},
    max_depth=_DEPTH_MAX,
)
