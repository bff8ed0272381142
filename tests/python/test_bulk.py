# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Large arrays and byte strings go round cbor2, to the same bytes and the same values."""

from __future__ import annotations

import platform
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ConfigDict, Field

import juicebus
from coding import decoded, payload_of
from juicebus import _bulk, _cbor, _typed_arrays
from juicebus._library import library
from probing import DEADLINE_S

MANY = 40_000
FLOATS = np.random.default_rng(1).normal(size=MANY)


class Trace(juicebus.Event):
    """An event with an array between other fields, and whatever else."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")
    axes: list[str] = ["x", "y"]
    data: Any = Field(None, alias="samples")
    scale: float = 1.5
    unused: np.ndarray | None = None


class Blob(juicebus.Event):
    """An event that knows nothing of NumPy."""

    value: Any = None
    note: str = "n"


def trace(data: Any, **more: Any) -> Trace:
    return Trace(samples=data, **more)


def long_way(event: juicebus.Event) -> bytes:
    return _cbor.dumps(event.model_dump(mode="python", by_alias=False, round_trip=True))


def in_read_only_memory() -> Any:
    return np.frombuffer(FLOATS.tobytes())


LARGE = {
    **{
        f"{order}{kind}": FLOATS.astype(order + kind)
        for order in "<>"
        for kind in "u2 u4 u8 i2 i4 i8 f2 f4 f8".split()
    },
    **{kind: np.arange(MANY).astype(kind) for kind in ("u1", "i1", "?")},
    "texts": np.array([str(n) for n in range(MANY)]),
    "nan": np.full(MANY, np.frombuffer(b"\1\2\3\4\5\6\xf8\x7f")),
    "rows": FLOATS.reshape(200, 200),
    "cube": FLOATS.reshape(2, 100, 200),
    "columns": np.asfortranarray(FLOATS.reshape(100, 400)),
    "transposed": FLOATS.reshape(100, 400).T,
    "every other": FLOATS[::2],
    "backwards": FLOATS[::-1],
    "part of rows": FLOATS.reshape(200, 200)[:, 10:100],
    "repeated": np.broadcast_to(FLOATS[:100], (100, 100)),
    "read-only": in_read_only_memory(),
    "just large": FLOATS[: _bulk.BULK_BYTES // 8],
    "not quite large": FLOATS[: _bulk.BULK_BYTES // 8 - 1],
    "two-byte size": FLOATS[:8191],
    "four-byte size": FLOATS[:8192],
    "empty": FLOATS[:0],
    "no dimension": np.array(1.5),
}
DATA = pytest.mark.parametrize("array", LARGE.values(), ids=LARGE.keys())


@DATA
def test_an_array_has_the_bytes_that_cbor2_writes(array: Any) -> None:
    event = trace(array, more=1)
    assert payload_of(event) == long_way(event)


@DATA
def test_an_array_survives_with_its_type_and_shape(array: Any) -> None:
    after = decoded(Trace, payload_of(trace(array))).data
    assert (after.dtype, after.shape) == (array.dtype, array.shape)
    assert after.tobytes() == array.tobytes()


@DATA
def test_a_payload_is_read_as_cbor2_reads_it(array: Any) -> None:
    payload = payload_of(trace(array, more=[1, {"a": None}], last=b"b"))
    assert library().juicebus_payload_check(payload, len(payload)) == 0
    for bulk, whole in (
        (_bulk.loads_with_arrays, _cbor.loads_with_arrays),
        (_bulk.loads_with_lists, _cbor.loads_with_lists),
    ):
        after, before = bulk(payload), whole(payload)
        assert list(after) == list(before)
        assert repr(after) == repr(before)
        np.testing.assert_array_equal(after.pop("data"), before.pop("data"))
        assert after == before


@pytest.mark.parametrize(
    "array",
    [
        FLOATS.reshape(200, 200).view(np.matrix),
        np.ma.masked_array(FLOATS, FLOATS > 0),
        FLOATS.view(np.recarray),
    ],
    ids=lambda array: type(array).__name__,
)
def test_a_subclass_of_ndarray_is_written_as_before(array: Any) -> None:
    event = trace(array)
    assert payload_of(event) == long_way(event)


@pytest.mark.parametrize("dtype", ["c16", "M8[s]", "g", "S3", "i4,f8"])
def test_a_large_array_without_a_cbor_form_is_refused_by_type(dtype: str) -> None:
    with pytest.raises(juicebus.InvalidError, match="has no CBOR form"):
        payload_of(trace(np.zeros(MANY, dtype=dtype)))


@pytest.mark.parametrize("value", [b"x" * MANY, b"x" * 2 * MANY, bytearray(MANY)], ids=len)
def test_a_large_byte_string_survives_as_cbor2_writes_it(value: Any) -> None:
    event = Blob(value=value)
    assert payload_of(event) == long_way(event)
    assert decoded(Blob, payload_of(event)).value == value


def test_large_values_below_a_field_survive() -> None:
    event = trace([FLOATS, {"deep": FLOATS}, b"x" * MANY])
    assert payload_of(event) == long_way(event)
    first, second, third = decoded(Trace, payload_of(event)).data
    assert (first.tobytes(), second["deep"].tobytes()) == (FLOATS.tobytes(), FLOATS.tobytes())
    assert third == b"x" * MANY


def test_a_map_with_keys_that_are_no_texts_is_written_as_before() -> None:
    assert _bulk.dumps({1: FLOATS}) == _cbor.dumps({1: FLOATS})


def test_a_class_without_numpy_reads_a_large_array_as_a_list() -> None:
    payload = payload_of(trace(FLOATS.reshape(200, 200))).replace(b"\x64data", b"\x65value")
    assert decoded(Blob, payload).value == FLOATS.reshape(200, 200).tolist()


def test_fields_keep_their_order_around_an_array() -> None:
    event = trace(FLOATS, b=1, a=FLOATS, c=2)
    assert list(decoded(Trace, payload_of(event)).model_extra or {}) == ["b", "a", "c"]


def test_an_array_behind_more_items_than_are_walked_over_survives() -> None:
    event = trace(FLOATS, axes=["x"] * 10 * _bulk._ITEMS_MAX)
    assert decoded(Trace, payload_of(event)).data.tobytes() == FLOATS.tobytes()


def test_a_payload_of_many_small_items_is_not_walked_to_its_end() -> None:
    payload = payload_of(trace(None, **{f"field{n}": [0] * 100 for n in range(400)}))
    assert len(payload) > _bulk.BULK_BYTES
    assert len(list(_bulk._fields(memoryview(payload)))) < 10
    assert _bulk.loads_with_arrays(payload) == _cbor.loads_with_arrays(payload)


@pytest.mark.parametrize("prefixes", [1, 2])
def test_a_large_self_described_payload_is_read(prefixes: int) -> None:
    payload = b"\xd9\xd9\xf7" * prefixes + payload_of(trace(FLOATS))
    assert decoded(Trace, payload).data.tobytes() == FLOATS.tobytes()


def test_an_array_of_more_than_23_fields_survives() -> None:
    event = trace(FLOATS, **{f"field{n}": n for n in range(300)})
    assert payload_of(event) == long_way(event)
    assert decoded(Trace, payload_of(event)).data.tobytes() == FLOATS.tobytes()


def test_cbor2_reads_a_null_in_the_place_of_what_is_large() -> None:
    read = []

    def loads(rest: bytes) -> Any:
        read.append(rest)
        return _cbor.loads_with_arrays(rest)

    event = trace(FLOATS, shaped=FLOATS.reshape(200, 200), blob=b"x" * MANY)
    _bulk._loads(loads, _typed_arrays.NUMPY_DECODERS, payload_of(event))
    nulls = event.model_copy(update={"data": None, "shaped": None, "blob": None})
    assert read == [long_way(nulls)]


def test_an_event_with_an_array_is_read_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fresh(Trace):
        """A class whose way of reading is not known yet."""

    read: list[bytes] = []
    loads = _bulk.loads_with_arrays
    monkeypatch.setattr(_bulk, "loads_with_arrays", lambda p: read.append(p) or loads(p))
    payload = payload_of(trace(FLOATS))
    assert decoded(Fresh, payload).data.tobytes() == FLOATS.tobytes()
    assert read == [payload]


def peak_of(action: Callable[[], object]) -> int:
    """Return the most bytes that Python had allocated at once meanwhile."""
    action()
    tracemalloc.start()
    try:
        kept = action()
        peak = tracemalloc.get_traced_memory()[1]
        del kept
    finally:
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("data", [FLOATS, FLOATS.reshape(200, 200), FLOATS.tobytes()], ids=type)
def test_writing_copies_once(data: Any) -> None:
    event = trace(data)
    assert peak_of(lambda: payload_of(event)) < 1.1 * FLOATS.nbytes


@pytest.mark.parametrize("shape", [(MANY,), (200, 200)])
def test_an_array_is_aligned_and_keeps_no_payload(shape: tuple[int, ...]) -> None:
    for padding in range(8):
        event = trace(FLOATS.reshape(shape), axes=["x" * padding])
        array = base = decoded(Trace, payload_of(event)).data
        assert array.flags.aligned
        while isinstance(base, np.ndarray):
            base = base.base
        assert (type(base), len(base)) == (bytes, FLOATS.nbytes)


def outcome(read: Callable[[bytes], Any], payload: bytes) -> Any:
    try:
        return repr(read(payload))
    except Exception as exc:
        return Exception if exc else None


def test_a_payload_that_the_library_accepts_is_read_as_by_cbor2_however_it_came_to_be() -> None:
    payload = payload_of(trace(FLOATS.reshape(200, 200), axes=["x"]))
    head = payload.index(b"\xd8\x28") + 16
    for place in (*range(head), len(payload) - 2):
        for bit in range(8):
            broken = bytearray(payload)
            broken[place] ^= 1 << bit
            if library().juicebus_payload_check(bytes(broken), len(broken)) == 0:
                assert outcome(_bulk.loads_with_arrays, bytes(broken)) == outcome(
                    _cbor.loads_with_arrays, bytes(broken)
                )


@pytest.mark.parametrize(
    "broken",
    [
        lambda payload: payload[:-1],
        lambda payload: payload[: len(payload) // 2],
        lambda payload: b"\x81" + payload,
        lambda payload: b"\xff" * len(payload),
        lambda payload: payload.replace(b"\xd8\x56\x5a", b"\xd8\x57\x5a"),
        lambda payload: payload.replace(b"\xd8\x56\x5a", b"\xd8\x56\x5f"),
        lambda payload: payload.replace(b"\xd8\x56\x5a", b"\xd8\x56\x7a"),
    ],
)
def test_a_large_payload_that_is_damaged_is_a_decode_error(broken: Any) -> None:
    with pytest.raises(juicebus.DecodeError):
        decoded(Trace, broken(payload_of(trace(FLOATS))))


FAULTS = """
import resource
import numpy as np
from juicebus import _bulk
fields = {"data": np.zeros(100_000)}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def event():
    payload = _bulk.dumps(fields)
    copies = [payload[i:] for i in (1, 2)]
    _bulk.loads_with_arrays(payload)
for _ in range(5):
    event()
before = faults()
for _ in range(20):
    event()
print((faults() - before) // 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")
def test_the_memory_of_large_payloads_is_used_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, timeout=DEADLINE_S
    )
    # A copy that is not has 196 pages.
    assert int(done.stdout) < 50, done.stderr
