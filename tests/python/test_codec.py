# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Every type of field survives CBOR, and what is written is what the library accepts."""

from __future__ import annotations

import gc
import ipaddress
import json
import math
import struct
import weakref
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AliasChoices, ConfigDict, Field, SecretStr
from typing_extensions import Self

import juicebus
from coding import decoded, holding, payload_of, there_and_back
from converting import msgpack_of
from juicebus._abi import FORMAT_JSON, FORMAT_MSGPACK
from juicebus._errors import Status
from juicebus._library import library


class Color(Enum):
    RED = "red"
    PAIR = 2.5


class Level(IntEnum):
    LOW = 1


class Part(juicebus.MessagePart):
    x: int = 0
    data: bytes = b""


@dataclass
class Point:
    x: int


ODD_OFFSET = timezone(timedelta(hours=-3, minutes=-30))

SURVIVING: list[tuple[Any, Any]] = [
    (int, 2**100),
    (int, -(2**100)),
    (int, 2**64 - 1),
    (int, -(2**63)),
    (bool, True),
    (int | None, None),
    (float, math.inf),
    (float, -math.inf),
    (float, 5e-324),
    (float, 0.1),
    (str, "µK \U0001f9ca \0 'quoted'"),
    (bytes, bytes(range(256))),
    (bytes, b""),
    (datetime, datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=timezone.utc)),
    (datetime, datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=ODD_OFFSET)),
    (datetime, datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=timezone.utc)),
    (datetime, datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)),
    (datetime, datetime(2026, 11, 23, 1, 2, 3, 456789)),
    (date, date(2026, 11, 23)),
    (time, time(1, 2, 3, 456789)),
    (timedelta, timedelta(days=-3, seconds=5, microseconds=7)),
    (UUID, UUID("12345678-1234-5678-1234-567812345678")),
    (Decimal, Decimal("1.50")),
    (Decimal, Decimal("-1E-30")),
    (Decimal, Decimal("-0")),
    (Decimal, Decimal("123456789012345678901234567890.123456789")),
    (Annotated[str, "tag"], "a"),
    (Literal["a", 2], 2),
    (Color, Color.RED),
    (Color, Color.PAIR),
    (Level, Level.LOW),
    (Path, Path("/dev/null")),
    (set[int], {3, 1, 2}),
    (frozenset[str], frozenset({"a", "b"})),
    (tuple[int, str], (1, "a")),
    (list[list[float]], [[1.0], [], [2.0, 3.0]]),
    (dict[str, Any], {"a": [1, {"b": None}]}),
    (dict[int, float], {1: 0.5, -2: 1.5}),
    (dict[UUID, int], {UUID(int=5): 1}),
    (dict[date, int], {date(2026, 1, 1): 1}),
    (dict[Color, int], {Color.RED: 1}),
    (Part, Part(x=1, data=b"\xff")),
    (list[Part], [Part(x=1), Part(x=2)]),
    (dict[str, Part], {"a": Part(data=b"\xfe")}),
    (Point, Point(3)),
    (ipaddress.IPv4Address, ipaddress.IPv4Address("10.0.0.1")),
    (ipaddress.IPv6Network, ipaddress.IPv6Network("fe80::/64")),
    (Fraction, Fraction(1, 3)),
    (complex, 1 + 2j),
    (Any, [1, "a", 2.5, None, True, b"\xff", {"k": [UUID(int=1)]}]),
    (Any, datetime(2026, 11, 23, tzinfo=ODD_OFFSET)),
    (datetime | str, datetime(2026, 11, 23, 1, 2, 3)),
    (datetime | str, "no time"),
    (datetime | None | str, datetime(2026, 11, 23, 1, 2, 3)),
    (time | str, time(1, 2, 3)),
    (timedelta | str, timedelta(seconds=5)),
    (date | datetime, datetime(2026, 11, 23, 1, 2, 3)),
    (date | datetime, date(2026, 11, 23)),
    (list[datetime | str], [datetime(2026, 11, 23), "no time"]),
    (bytes | datetime | str, b"\xff"),
]


@pytest.mark.parametrize(("annotation", "value"), SURVIVING, ids=repr)
def test_a_field_survives_cbor(annotation: Any, value: Any) -> None:
    event = holding(annotation)(value=value)
    after = there_and_back(event)
    assert after == event
    assert type(after.value) is type(event.value)


@pytest.mark.parametrize("value", [math.nan, -0.0, 0.0])
def test_a_float_survives_to_the_last_bit(value: float) -> None:
    after = there_and_back(holding(float)(value=value)).value
    assert struct.pack(">d", after) == struct.pack(">d", value)


@pytest.mark.parametrize("offset", [timezone.utc, ODD_OFFSET])
def test_a_datetime_keeps_its_offset(offset: timezone) -> None:
    value = datetime(2026, 11, 23, tzinfo=offset)
    assert there_and_back(holding(datetime)(value=value)).value.utcoffset() == value.utcoffset()


def test_a_datetime_without_offset_stays_without() -> None:
    assert there_and_back(holding(datetime)(value=datetime(2026, 1, 1))).value.tzinfo is None


def test_a_datetime_whose_offset_has_seconds_keeps_the_instant() -> None:
    value = datetime(2026, 11, 23, tzinfo=timezone(timedelta(hours=1, seconds=5)))
    assert there_and_back(holding(datetime)(value=value)).value == value


def test_a_decimal_that_is_no_number_survives() -> None:
    config = ConfigDict(title="any decimal")

    class Any_(juicebus.Event):
        model_config = config
        value: Annotated[Decimal, Field(allow_inf_nan=True)]

    assert there_and_back(Any_(value=Decimal("NaN"))).value.is_nan()
    assert there_and_back(Any_(value=Decimal("-Infinity"))).value == Decimal("-Infinity")


def test_fields_with_an_alias_survive_at_every_depth() -> None:
    class Inner(juicebus.MessagePart):
        value: int = Field(alias="the-value")

    class Outer(juicebus.Event):
        db_name: str = Field(alias="name", default="")
        chosen: int = Field(validation_alias=AliasChoices("a", "b"), default=0)
        written: int = Field(serialization_alias="w", default=0)
        inner: Inner

    event = Outer.model_validate(
        {"name": "db", "a": 5, "written": 6, "inner": Inner.model_validate({"the-value": 7})}
    )
    assert there_and_back(event) == event
    assert event.db_name == "db"


def test_a_class_that_replaces_model_fields_survives() -> None:
    class Stats(juicebus.Event):
        db_name: str = Field(alias="name", default="")

    Stats.model_fields = {**Stats.model_fields, "name": object()}  # type: ignore[assignment]
    event = Stats.model_validate({"name": "db"})
    assert there_and_back(event) == event


def test_a_strict_class_reads_what_has_no_cbor_type_of_its_own() -> None:
    class Strict(juicebus.Event):
        model_config = ConfigDict(strict=True)
        value: timedelta
        color: Color

    event = Strict(value=timedelta(seconds=1), color=Color.RED)
    assert there_and_back(event) == event


def test_a_part_with_a_time_or_a_text_survives() -> None:
    class Note(juicebus.MessagePart):
        at: datetime | str = Field(alias="when")
        data: bytes | None = None

    at = datetime(2026, 11, 23)
    assert there_and_back(holding(Note)(value=Note(when=at))).value.at == at
    # Bytes have no form in JSON: with some, fields are read as they came.
    note = Note(when=at, data=b"\xff")
    assert there_and_back(holding(Note)(value=note)).value.at == at.isoformat()


@pytest.mark.parametrize(
    ("annotation", "value"), [(int, "1"), (float, "1"), (bool, 1), (str, 1)], ids=repr
)
@pytest.mark.parametrize("whole", [False, True], ids=["field", "class"])
def test_a_strict_field_refuses_what_is_only_like_it(
    annotation: Any, value: Any, whole: bool
) -> None:
    field = Field(strict=None if whole else True)
    fields = {"__annotations__": {"value": annotation}, "value": field}
    strict = type("Strict", (juicebus.Event,), {**fields, "model_config": {"strict": whole}})
    payload = payload_of(holding(Any)(value=value))
    with pytest.raises(juicebus.DecodeError, match="value: Input should be a valid"):
        decoded(strict, payload)
    with pytest.raises(juicebus.DecodeError, match="value: Input should be a valid"):
        decoded(strict, msgpack_of(payload), FORMAT_MSGPACK)


def test_a_class_with_json_of_its_own_keeps_it() -> None:
    class Own(juicebus.Event):
        value: int

        def model_dump_json(self, **options: Any) -> str:
            return json.dumps({"times ten": self.value * 10})

        @classmethod
        def model_validate_json(cls, data: Any, **options: Any) -> Self:
            return cls(value=json.loads(data)["times ten"] // 10)

    event = Own(value=5)
    for codec in ("cbor", "json"):
        payload = payload_of(event, codec)
        assert payload == b'{"times ten": 50}'
        assert decoded(Own, payload, FORMAT_JSON).value == 5


def test_a_class_that_nobody_has_any_more_leaves_nothing_behind() -> None:
    temporary = holding(int)
    there_and_back(temporary(value=5))
    gone = weakref.ref(temporary)
    del temporary
    gc.collect()
    assert gone() is None


def test_a_plan_is_not_inherited() -> None:
    parent = holding(int)
    there_and_back(parent(value=5))

    class Child(parent):  # type: ignore[valid-type, misc]
        more: str

    event = Child(value=1, more="a")
    assert there_and_back(event) == event


def test_a_time_whose_offset_cannot_be_rounded_is_named() -> None:
    value = datetime(1, 1, 1, tzinfo=timezone(timedelta(seconds=31)))
    with pytest.raises(juicebus.InvalidError, match=r"0001-01-01 .*whole minutes"):
        payload_of(holding(datetime)(value=value))


@pytest.mark.parametrize(
    "value", [object(), ..., "\ud800", {1: 1, "1": 2}], ids=["object", "ellipsis", "text", "keys"]
)
def test_a_value_without_a_cbor_form_is_refused_with_the_class(value: Any) -> None:
    with pytest.raises(juicebus.InvalidError, match="publish Holding: ."):
        payload_of(holding(Any)(value=value))


def test_nesting_is_limited_by_the_library_alone() -> None:
    value: Any = 1
    for _ in range(600):
        value = [value]
    payload = payload_of(holding(Any)(value=value))
    assert library().juicebus_payload_check(payload, len(payload)) == Status.E_PAYLOAD


def test_decoding_goes_as_deep_as_the_library_allows() -> None:
    depth = 398
    payload = b"\xa1\x65value" + b"\x81" * depth + b"\x01"
    assert library().juicebus_payload_check(payload, len(payload)) == 0
    value = decoded(holding(Any), payload).value
    for _ in range(depth):
        (value,) = value
    assert value == 1


@pytest.mark.parametrize("prefix", [b"", b"\xd9\xd9\xf7"])
def test_a_self_described_payload_is_read(prefix: bytes) -> None:
    event = holding(list[dict[str, int]])(value=[{"a": 1}])
    assert decoded(type(event), prefix + payload_of(event)) == event


@pytest.mark.parametrize("timestamp", [b"\x1a\x00\x01\x51\x80", b"\xfb\x40\xf5\x18\x00\0\0\0\0"])
def test_a_timestamp_is_read(timestamp: bytes) -> None:
    value = decoded(holding(datetime), b"\xa1\x65value\xc1" + timestamp)
    assert value.value == datetime(1970, 1, 2, tzinfo=timezone.utc)


@pytest.mark.parametrize("content", [b"\xc0\x63abc", b"\xd8\x25\x42ab", b"\xd8\x56\x41\0"])
def test_a_tag_with_the_wrong_content_cannot_be_decoded(content: bytes) -> None:
    tag = content[0] & 0x1F if content[0] < 0xD8 else content[1]
    with pytest.raises(juicebus.DecodeError, match=f"'Name.': .*tag {tag} "):
        decoded(holding(Any), b"\xa1\x65value" + content)


def test_a_decode_error_names_each_field_that_does_not_fit() -> None:
    class Two(juicebus.Event):
        a: int
        b: Part

    payload = payload_of(holding(Any)(value=1)).replace(b"\x65value\x01", b"\x61b\xa1\x61x\x61y")
    with pytest.raises(juicebus.DecodeError) as caught:
        decoded(Two, payload)
    assert str(caught.value).startswith("event 'Name.': a: Field required; b.x: Input should be")


def test_a_secret_is_written_as_in_json() -> None:
    after = there_and_back(holding(SecretStr)(value=SecretStr("secret")))
    assert after.value.get_secret_value() == "**********"
