# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A subscriber that sleeps while far more events pass than its queues can hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from probing import DEADLINE_S
from procfs import peak_resident_bytes, resident_bytes
from sides import Side, side_named, until_live
from stream import Reading, Receiver

pytestmark = pytest.mark.fault(4)

FILLING = "x" * 1000
BATCH_EVENTS = 100
# How far the publisher may be ahead of the subscriber that is awake: below the queue
# limits of both sides, 1,000 events in Juice.
LEAD_EVENTS = 800
MIB = 1 << 20
LIMIT_BYTES = 64 * MIB
# What an interpreter and an allocator take besides, when that much passes through them.
SLACK_BYTES = 32 * MIB


@dataclass(frozen=True)
class Outcome:
    """What became of the events at the one that slept, and at the one that did not."""

    received: int
    lost: int | None
    missing_awake: int
    grown_asleep_bytes: int
    grown_proxy_bytes: int


def publish_past_a_sleeper(side: Side, name: str, events: int) -> Outcome:
    """Publish events past one that sleeps and one that is awake."""
    program = Path(__file__).with_name("sleeping.py")
    with (
        side.proxy() as proxy,
        closing(side.subscriber(proxy.sub_uri)) as awake,
        closing(side.publisher(proxy.pub_uri)) as publisher,
    ):
        awake.subscribe(Reading)
        until_live(publisher.publish, awake)
        sleeper = subprocess.Popen(
            [sys.executable, program, name, proxy.pub_uri, proxy.sub_uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert sleeper.stdout is not None
        assert sleeper.stdout.readline() == "live\n"
        before = resident_bytes(proxy.pid)
        with Receiver(awake) as receiver:
            for first in range(0, events, BATCH_EVENTS):
                for number in range(first, first + BATCH_EVENTS):
                    publisher.publish(Reading(number=number, place="a", filling=FILLING))
                assert receiver.wait_for(first + BATCH_EVENTS - LEAD_EVENTS)
            assert receiver.wait_for(events - 1)
        grown = peak_resident_bytes(proxy.pid) - before
        printed, _ = sleeper.communicate("wake\n", timeout=3 * DEADLINE_S)
    told = json.loads(printed)
    return Outcome(
        told["received"], told["lost"], len(receiver.missing), told["grown_bytes"], grown
    )


def test_a_subscriber_that_slept_knows_what_it_missed(
    record_property: Callable[[str, object], None],
) -> None:
    events = 200_000
    outcome = publish_past_a_sleeper(side_named("juicebus"), "juicebus", events)
    record_property(
        "figure",
        f"received {outcome.received:,} + lost {outcome.lost or 0:,} of {events:,}; awake one lost "
        f"{outcome.missing_awake}; memory of the sleeper +{outcome.grown_asleep_bytes // MIB} MiB, "
        f"of the proxy +{outcome.grown_proxy_bytes // MIB} MiB, limit {LIMIT_BYTES // MIB} MiB",
    )
    assert outcome.lost is not None
    assert outcome.received + outcome.lost == events
    assert outcome.lost > 0
    assert outcome.missing_awake == 0
    assert outcome.grown_asleep_bytes <= LIMIT_BYTES + SLACK_BYTES
    assert outcome.grown_proxy_bytes <= LIMIT_BYTES + SLACK_BYTES


def test_a_subscriber_of_juice_that_slept(record_property: Callable[[str, object], None]) -> None:
    events = 50_000
    outcome = publish_past_a_sleeper(side_named("juice"), "juice", events)
    record_property(
        "juice",
        f"lost {events - outcome.received:,} of {events:,}, says nothing; "
        f"memory of the sleeper +{outcome.grown_asleep_bytes // MIB} MiB",
    )
