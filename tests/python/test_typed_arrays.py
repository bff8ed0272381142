# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""NumPy arrays survive CBOR; a class that does not mention NumPy reads them as lists."""

from __future__ import annotations

import re
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ConfigDict

import juicebus
from coding import decoded, holding, payload_of, there_and_back
from juicebus._annotations import mention_numpy


class Trace(juicebus.Event):
    """An event with an array."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    data: np.ndarray


DTYPES = [
    *("u1", "i1", "?"),
    *(f"{order}{kind}" for order in "<>" for kind in "u2 u4 u8 i2 i4 i8 f2 f4 f8".split()),
]


@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3), (0,), (2, 0)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_survives_with_its_type_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    if dtype == "?" and 0 in shape:
        # Empty, it has no element left to tell its type by.
        dtype = "f8"
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    after = there_and_back(Trace(data=array)).data
    assert (after.dtype, after.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(after, array)


@pytest.mark.parametrize("value", [np.array(2.5), np.array(True), np.array(7, dtype=">i4")])
def test_an_array_without_dimensions_survives(value: Any) -> None:
    after = there_and_back(Trace(data=value)).data
    assert (after.shape, after.dtype, after[()]) == ((), value.dtype, value[()])


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(12).reshape(3, 4)[::2, ::-1],
        np.arange(6).reshape(2, 3).T,
    ],
)
def test_an_array_that_is_not_contiguous_survives(array: Any) -> None:
    np.testing.assert_array_equal(there_and_back(Trace(data=array)).data, array)


def test_nan_and_infinity_survive_in_an_array() -> None:
    array = np.array([np.nan, np.inf, -np.inf, -0.0])
    assert there_and_back(Trace(data=array)).data.tobytes() == array.tobytes()


def test_an_array_of_texts_survives() -> None:
    array = np.array([["a", "µ"], ["", "long"]])
    np.testing.assert_array_equal(there_and_back(Trace(data=array)).data, array)


@pytest.mark.parametrize("dtype", ["c16", "M8[s]", "O", "g", "S3"])
def test_an_array_without_a_cbor_form_is_refused_by_type(dtype: str) -> None:
    array = np.zeros(2, dtype=dtype)
    with pytest.raises(juicebus.InvalidError, match=re.escape(f"{array.dtype} has no CBOR form")):
        payload_of(Trace(data=array))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_class_without_numpy_reads_an_array_as_lists(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    lists: Any = holding(list[list[float]])
    payload = payload_of(Trace(data=array)).replace(b"\x64data", b"\x65value")
    assert decoded(lists, payload).value == array.tolist()


def test_a_class_without_numpy_reads_an_empty_array_as_an_empty_list() -> None:
    payload = payload_of(Trace(data=np.zeros((2, 0)))).replace(b"\x64data", b"\x65value")
    assert decoded(holding(list[Any]), payload).value == []


@pytest.mark.parametrize(
    "scalar", [np.float64(1.5), np.float32(1.5), np.int8(-3), np.uint64(2**63), np.bool_(True)]
)
def test_a_numpy_scalar_is_a_plain_number(scalar: Any) -> None:
    after = there_and_back(holding(Any)(value=scalar)).value
    assert after == scalar
    assert type(after) is type(scalar.item())


def test_a_long_double_is_a_plain_float() -> None:
    after = there_and_back(holding(Any)(value=np.longdouble(1.5))).value
    assert (after, type(after)) == (1.5, float)


class Nested(juicebus.MessagePart):
    """A part with an array."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    data: np.ndarray | None = None


@pytest.mark.parametrize(
    "annotation",
    [
        np.ndarray,
        npt.NDArray[np.float64],
        np.ndarray | None,
        list[np.ndarray],
        Annotated[np.ndarray, "trace"],
        Nested,
        dict[str, Nested],
        Annotated[Any, np.float64],
    ],
)
def test_a_class_may_mention_numpy_anywhere(annotation: Any) -> None:
    namespace = {
        "__annotations__": {"value": annotation},
        "model_config": ConfigDict(arbitrary_types_allowed=True),
    }
    event_class: Any = type("Holding", (juicebus.Event,), namespace)
    assert mention_numpy(event_class)


def test_a_class_that_does_not_mention_numpy_reads_lists() -> None:
    payload = payload_of(holding(Any)(value=np.arange(3)))
    assert decoded(holding(Any), payload).value == [0, 1, 2]


def test_a_nested_array_survives() -> None:
    event = holding(Nested)(value=Nested(data=np.arange(3)))
    np.testing.assert_array_equal(there_and_back(event).value.data, np.arange(3))


@pytest.mark.parametrize("tag", [83, 87])
def test_an_array_of_128_bit_floats_is_refused_by_its_tag(tag: int) -> None:
    payload = b"\xa1\x65value\xd8" + bytes([tag]) + b"\x50" + bytes(16)
    with pytest.raises(juicebus.DecodeError, match=f"tag {tag}: 128-bit floats cannot be read"):
        decoded(holding(Any), payload)
