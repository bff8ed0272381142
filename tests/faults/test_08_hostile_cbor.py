# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""CBOR that is not well-formed, deep, huge or ambiguous: one verdict, and a cheap one."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import Any, ClassVar

import pytest

import juicebus
from c_program import ROOT, figures_of
from juicebus._errors import Status
from juicebus._library import library
from probing import DEADLINE_S
from vectors import bytes_of

pytestmark = pytest.mark.fault(8)

FILES = ("cbor_rfc8949", "cbor_hostile")


class Vectored(juicebus.Event):
    """Whatever map a vector holds."""

    measurement: ClassVar[str] = "vector"
    a: Any = None


def vectors() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for name in FILES:
        text = (ROOT / "tests" / "vectors" / f"{name}.json").read_text(encoding="utf-8")
        found += json.loads(text)["vectors"]
    return found


def test_python_judges_every_payload_as_go_does(
    record_property: Callable[[str, object], None],
) -> None:
    judged = vectors()
    with (
        juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", hold=0) as proxy,
        closing(juicebus.PublisherBlocking(proxy.pub_uri)) as publisher,
        closing(juicebus.SubscriberBlocking[Vectored](proxy.sub_uri)) as subscriber,
    ):
        subscriber.subscribe(Vectored)
        assert subscriber.ready(DEADLINE_S)
        for vector in judged:
            payload, good = bytes_of(vector["payload_hex"]), vector["status"] == "OK"
            verdict = library().juicebus_payload_check(payload, len(payload))
            assert verdict == Status[vector["status"]], vector["id"]
            publisher.send_frame([b"Vectored.", payload])
            if good:
                assert isinstance(subscriber.get(DEADLINE_S), Vectored), vector["id"]
            else:
                with pytest.raises(juicebus.DecodeError):
                    subscriber.get(DEADLINE_S)
    good_count = sum(vector["status"] == "OK" for vector in judged)
    refused = len(judged) - good_count
    record_property("figure", f"Go and Python agree on {good_count} good, {refused} bad")


def test_a_refusal_costs_little_time_and_memory(
    record_property: Callable[[str, object], None],
) -> None:
    command = ["go", "test", "-count=1", "-v", "-run", "^TestRefusingAPayloadCostsLittle$"]
    for figure in figures_of([*command, "./core/internal/codec"]):
        record_property("figure", figure)
