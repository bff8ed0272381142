# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Which form an event takes on the wire: CBOR, JSON, or frames of its class's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel, Field

import juicebus
from coding import decoded, holding, payload_of, there_and_back
from juicebus._abi import FORMAT_JSON


def test_a_plain_pydantic_model_with_a_name_is_an_event() -> None:
    class Plain(BaseModel):
        value: int

        @classmethod
        def name(cls) -> str:
            return "Plain"

        def topic(self) -> None:
            return None

    assert there_and_back(Plain(value=3)) == Plain(value=3)
    assert decoded(Plain, payload_of(Plain(value=3), "json"), FORMAT_JSON) == Plain(value=3)


def test_the_json_codec_writes_what_to_msg_gives() -> None:
    event = holding(float)(value=math.nan)
    assert payload_of(event, "json") == event.to_msg()[0]
    assert b'"NaN"' in payload_of(event, "json")
    assert math.isnan(decoded(type(event), payload_of(event, "json"), FORMAT_JSON).value)


def test_fields_with_an_alias_survive_the_json_of_our_events() -> None:
    class Aliased(juicebus.Event):
        db_name: str = Field(alias="name", default="")

    event = Aliased.model_validate({"name": "db"})
    assert Aliased.from_msg(event.to_msg()) == event


class OnlyFromMsg(juicebus.Event):
    """Reads frames of its own."""

    @classmethod
    def from_msg(cls, msg: Sequence[bytes]) -> Any:
        assert isinstance(msg, list)
        raise KeyError("broken")


def test_what_a_class_of_its_own_raises_is_a_decode_error() -> None:
    with pytest.raises(juicebus.DecodeError, match="'Name.': 'broken'") as caught:
        decoded(OnlyFromMsg, b"")
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("source", ["argument", "environment"])
def test_an_unknown_codec_is_refused_by_name(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if source == "environment":
        monkeypatch.setenv("JUICEBUS_CODEC", "yaml")
    codec = "yaml" if source == "argument" else None
    with pytest.raises(ValueError, match="yaml.*neither"):
        juicebus.PublisherBlocking("tcp://127.0.0.1:1", codec=codec)


@pytest.mark.parametrize(
    ("argument", "environment", "chosen"),
    [(None, None, "cbor"), (None, "json", "json"), ("cbor", "json", "cbor"), ("json", "", "json")],
)
def test_the_codec_is_the_argument_then_the_environment_then_cbor(
    argument: str | None,
    environment: str | None,
    chosen: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JUICEBUS_CODEC", raising=False)
    if environment is not None:
        monkeypatch.setenv("JUICEBUS_CODEC", environment)
    publisher = juicebus.PublisherBlocking("tcp://127.0.0.1:1", codec=argument)
    assert publisher._codec == chosen
    publisher.close(0)
