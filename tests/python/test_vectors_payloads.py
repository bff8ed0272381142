# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The payload and status vectors: what the library says, and what Python raises.

Payloads get on the bus by `send_frame`, which does not look at them; each way of
receiving then says what became of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

import juicebus
from juicebus._errors import Status
from juicebus._library import library, text
from vectors import Vector, bytes_of, load

TIMEOUT_S = 10.0
# The wire allows 128-bit floats, Python has no number for them: the error says so.
UNREADABLE = {"cbor_128_bit_floats": "128-bit floats"}


class Vectored(juicebus.Event):
    """Whatever map a vector holds."""

    measurement: ClassVar[str] = "vector"
    a: Any = None


class Marker(juicebus.Event):
    """Comes behind a vector: nothing more of that one comes."""

    measurement: ClassVar[str] = "vector"


class Bus:
    """A publisher and one subscriber for each way of receiving."""

    def __init__(self, proxy: juicebus.Proxy) -> None:
        self.publisher = juicebus.PublisherBlocking(proxy.pub_uri)
        self.getting = juicebus.SubscriberBlocking[Any](proxy.sub_uri)
        self.getting_many = juicebus.SubscriberBlocking[Any](proxy.sub_uri)
        self.iterating = juicebus.SubscriberBlocking[Any](proxy.sub_uri)
        self.awaiting = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        for subscriber in (
            self.getting,
            self.getting_many,
            self.iterating,
            self.awaiting,
        ):
            subscriber.subscribe(Marker)
            subscriber.subscribe(Vectored)
        for subscriber in (self.getting, self.getting_many, self.iterating):
            assert subscriber.ready()
        assert asyncio.run(self.awaiting.ready())

    def send(self, payload: bytes) -> None:
        """Send a payload to all, and the marker behind it."""
        self.publisher.send_frame([b"Vectored.", payload])
        self.publisher.publish(Marker())

    def by_get(self) -> list[str]:
        """Return what comes before the marker: "event", or an error's text."""
        outcomes: list[str] = []
        while True:
            try:
                if isinstance(self.getting.get(TIMEOUT_S), Marker):
                    return outcomes
                outcomes.append("event")
            except juicebus.DecodeError as error:
                outcomes.append(str(error))

    def by_get_many(self) -> list[str]:
        """As by_get."""
        outcomes: list[str] = []
        while True:
            try:
                for event in self.getting_many.get_many(1, TIMEOUT_S):
                    if isinstance(event, Marker):
                        return outcomes
                    outcomes.append("event")
            except juicebus.DecodeError as error:
                outcomes.append(str(error))

    def by_iteration(self) -> list[str]:
        """As by_get; skipped ones, which are only counted, as the text "skipped"."""
        before = self.iterating.stats().decode_errors
        outcomes: list[str] = []
        for event in self.iterating:
            if isinstance(event, Marker):
                break
            outcomes.append("event")
        return outcomes + ["skipped"] * (self.iterating.stats().decode_errors - before)

    def by_await(self) -> list[str]:
        """As by_get."""

        async def run() -> list[str]:
            outcomes: list[str] = []
            while True:
                try:
                    if isinstance(await self.awaiting.get(TIMEOUT_S), Marker):
                        return outcomes
                    outcomes.append("event")
                except juicebus.DecodeError as error:
                    outcomes.append(str(error))

        return asyncio.run(run())

    def close(self) -> None:
        """Close everything."""
        for part in (self.publisher, self.getting, self.getting_many, self.iterating):
            part.close()
        self.awaiting.close()


@pytest.fixture(scope="module")
def bus() -> Iterator[Bus]:
    with juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", hold=0) as proxy:
        bus = Bus(proxy)
        yield bus
        bus.close()


@pytest.mark.parametrize("vector", load("payloads"), ids=lambda v: v["id"])
def test_the_library_judges_the_payload_as_the_vector_does(vector: Vector) -> None:
    payload = bytes_of(vector["payload_hex"])
    assert library().juicebus_payload_check(payload, len(payload)) == Status[vector["status"]]
    if "reason" in vector:
        assert vector["reason"].lower() in text(library().juicebus_last_error()).lower()


@pytest.mark.parametrize("vector", load("payloads"), ids=lambda v: v["id"])
def test_every_way_of_receiving_judges_the_payload_as_the_vector_does(
    vector: Vector, bus: Bus
) -> None:
    bus.send(bytes_of(vector["payload_hex"]))
    outcomes = [*bus.by_get(), *bus.by_get_many(), *bus.by_await()]
    reason = UNREADABLE.get(vector["id"])
    if vector["status"] == "OK" and reason is None:
        assert [*outcomes, *bus.by_iteration()] == ["event"] * 4
        return
    assert bus.by_iteration() == ["skipped"]
    assert len(outcomes) == 3
    # Where the first byte says JSON, pydantic judges, in words of its own.
    if reason is None and vector["format"] == "OTHER":
        reason = vector.get("reason")
    for outcome in outcomes:
        assert "'Vectored.'" in outcome
        assert (reason or "").lower() in outcome.lower()


@pytest.mark.parametrize("vector", load("status"), ids=lambda v: v["id"])
def test_a_status_has_the_vectors_number_and_text(vector: Vector) -> None:
    assert text(library().juicebus_status_text(vector["number"])) == vector["text"]
    if vector["constant"] is None:
        assert vector["number"] not in list(Status)
    else:
        assert Status[vector["constant"].removeprefix("JUICEBUS_")] == vector["number"]


def test_python_knows_no_status_beyond_the_vectors() -> None:
    known = {vector["number"] for vector in load("status") if vector["constant"] is not None}
    assert {int(status) for status in Status} == known
