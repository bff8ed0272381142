# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A proxy that is killed and started again, with events on their way all the time.

Several fleets at once share the waiting: each has a proxy, a subscriber of thousands of
topics and a publisher of 1,000 events a second. The same runs serve rows 1 and 2.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

import juicebus
from events import Numbered
from probing import DEADLINE_S
from proxy_process import ProxyProcess
from sides import side_named
from stream import Reading, Receiver, Stream, place

FLEETS = 6
KILLS_EACH = 17
TOPICS = 2_000
MANY_TOPICS = 5_000
FLUSHED_EVERY_S = 0.05
# Longer than a subscriber takes to connect on any machine.
LATE_HOLD = "4s"


@dataclass
class Outcome:
    """What the kills of one fleet's proxy did."""

    # From the kill until all subscriptions are live again.
    seconds: list[float] = field(default_factory=list)
    # What each kill took along, and what the publisher said before that it might.
    lost: list[int] = field(default_factory=list)
    unconfirmed: list[int] = field(default_factory=list)
    # Events that went to every topic after all were live, and did not come.
    missed_when_live: int = 0
    sent: int = 0
    twice_or_out_of_order: int = 0


def kill_and_restart(topics: int, kills: int) -> Outcome:
    """Run a fleet whose proxy is killed again and again."""
    outcome = Outcome()
    with (
        ProxyProcess.juicebus() as proxy,
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
    ):
        for number in range(topics):
            subscriber.subscribe(Reading, topic=place(number, topics))
        publisher.wait_connected(DEADLINE_S)
        assert subscriber.ready(DEADLINE_S)
        with Receiver(subscriber) as receiver, Stream(publisher, topics) as stream:
            for _ in range(kills):
                with stream.turn:
                    # False tells, once, that the last kill may have taken events along.
                    assert publisher.flush(DEADLINE_S) or publisher.flush(DEADLINE_S)
                    told_before = publisher.stats().unconfirmed
                    # What the proxy has confirmed may still be on its way from there.
                    assert receiver.wait_for(stream.sent - 1)
                missing_before = len(receiver.missing)
                # At any moment between two confirmations.
                time.sleep(random.uniform(0, FLUSHED_EVERY_S))
                proxy.kill()
                killed_at = time.monotonic()
                proxy.start()
                outcome.unconfirmed.append(publisher.stats().unconfirmed - told_before)
                assert subscriber.ready(DEADLINE_S)
                outcome.seconds.append(time.monotonic() - killed_at)
                first = stream.sent
                stream.publish(topics)
                assert receiver.wait_for(stream.sent)
                missing = receiver.missing[missing_before:]
                outcome.lost.append(len(missing))
                outcome.missed_when_live += sum(number >= first for number in missing)
            stream.stop()
            assert publisher.flush(DEADLINE_S) or publisher.flush(DEADLINE_S)
            assert receiver.wait_for(stream.sent - 1)
            outcome.sent = stream.sent
            outcome.twice_or_out_of_order = len(receiver.out_of_order)
    return outcome


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """What some 100 kills did, and in the last outcome one with many topics."""
    with ThreadPoolExecutor(FLEETS + 1) as pool:
        fleets = [pool.submit(kill_and_restart, TOPICS, KILLS_EACH) for _ in range(FLEETS)]
        fleets.append(pool.submit(kill_and_restart, MANY_TOPICS, 1))
        return [fleet.result() for fleet in fleets]


@pytest.mark.fault(1)
def test_all_subscriptions_are_live_again_soon_after_a_kill(
    outcomes: list[Outcome], record_property: Callable[[str, object], None]
) -> None:
    *fleets, large = outcomes
    seconds = sorted(each for outcome in fleets for each in outcome.seconds)
    assert len(seconds) == FLEETS * KILLS_EACH
    assert sum(outcome.missed_when_live for outcome in outcomes) == 0
    over_1_s = sum(each > 1 for each in seconds)
    record_property(
        "figure",
        f"{len(seconds)} kills, {TOPICS:,} topics: median {seconds[len(seconds) // 2]:.2f} s, "
        f"max {seconds[-1]:.2f} s, {over_1_s} over 1 s; "
        f"{MANY_TOPICS:,} topics: {large.seconds[0]:.2f} s; 0 subscriptions lost",
    )
    assert over_1_s <= 1
    assert max(seconds[-1], *large.seconds) <= 2


@pytest.mark.fault(2)
def test_a_kill_takes_along_no_more_than_the_publisher_said(
    outcomes: list[Outcome], record_property: Callable[[str, object], None]
) -> None:
    kills = sum(len(outcome.lost) for outcome in outcomes)
    sent = sum(outcome.sent for outcome in outcomes)
    lost = sum(sum(outcome.lost) for outcome in outcomes)
    said = sum(sum(outcome.unconfirmed) for outcome in outcomes)
    record_property(
        "figure",
        f"{kills} kills, {sent:,} events: {lost} lost, unconfirmed says up "
        f"to {said}; "
        "0 out of order, 0 twice",
    )
    for outcome in outcomes:
        assert [
            (n, most) for n, most in zip(outcome.lost, outcome.unconfirmed, strict=True) if n > most
        ] == []
        assert outcome.twice_or_out_of_order == 0


def lost_by_juices_clients(proxy: ProxyProcess, kills: int) -> tuple[int, float]:
    """Kill and restart a proxy of Juice's own clients.

    Returns how many events they lose, and for how many seconds the proxy was away.
    """
    juice = side_named("juice")
    with (
        proxy,
        closing(juice.publisher(proxy.pub_uri)) as publisher,
        closing(juice.subscriber(proxy.sub_uri)) as subscriber,
    ):
        subscriber.subscribe(Reading)
        with Receiver(subscriber) as receiver, Stream(publisher, 1) as stream:
            assert receiver.wait_for(0)
            before = len(receiver.missing)
            away_s = 0.0
            for _ in range(kills):
                assert receiver.wait_for(stream.sent)
                killed_at = time.monotonic()
                proxy.kill()
                proxy.start()
                away_s += time.monotonic() - killed_at
                assert receiver.wait_for(stream.sent)
            return len(receiver.missing) - before, away_s


@pytest.mark.fault(2)
def test_juices_own_clients_over_restarts_of_its_proxy_and_of_ours(
    record_property: Callable[[str, object], None],
) -> None:
    kills = {
        "its own proxy": (side_named("juice").proxy(), 2),
        "juicebus-proxy": (ProxyProcess.juicebus(), 4),
        "juicebus-proxy --hold 0": (ProxyProcess.juicebus("--hold", "0"), 4),
    }
    with ThreadPoolExecutor(len(kills)) as pool:
        runs = {name: pool.submit(lost_by_juices_clients, *each) for name, each in kills.items()}
    for name, run in runs.items():
        lost, away_s = run.result()
        record_property(
            "juice",
            f"{kills[name][1]} kills of {name}, away for {away_s:.1f} s in all: "
            f"{lost:,} lost, says nothing",
        )


@pytest.mark.fault(2)
def test_juices_own_subscriber_that_comes_a_moment_later_gets_what_the_proxy_holds(
    record_property: Callable[[str, object], None],
) -> None:
    juice = side_named("juice")
    events = 100
    with (
        ProxyProcess.juicebus("--hold", LATE_HOLD) as proxy,
        closing(juice.publisher(proxy.pub_uri)) as publisher,
    ):
        for number in range(events):
            publisher.publish(Numbered(number=number))
        with closing(juice.subscriber(proxy.sub_uri)) as subscriber:
            subscriber.subscribe(Numbered)
            numbers = [subscriber.get(DEADLINE_S).number for _ in range(events)]
    assert numbers == list(range(events))
    record_property(
        "juice", f"its subscriber comes while juicebus-proxy holds: {events} of {events} arrive"
    )


@pytest.mark.fault(2)
def test_juices_own_publisher_finds_its_subscription_at_once(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    with closing(side_named("juice").publisher(proxy.pub_uri)) as publisher:
        began = time.monotonic()
        publisher.publish(Numbered(number=1))
        seconds = time.monotonic() - began
    # Without a subscription it waits for 5 s, and then loses its first event.
    assert seconds < 2
    record_property("juice", f"its first publish to juicebus-proxy returns in {seconds:.2f} s")


def live_topics(receiver: Receiver, stream: Stream) -> int:
    """Return how many topics the next events reach, one for each."""
    assert receiver.wait_for(stream.sent)
    first = stream.sent
    window = range(first, first + TOPICS)
    assert receiver.wait_for(window.stop)
    return TOPICS - sum(number in window for number in receiver.missing)


@pytest.mark.fault(1)
def test_juice_over_a_restart_of_its_proxy(
    record_property: Callable[[str, object], None],
) -> None:
    juice = side_named("juice")
    with (
        juice.proxy() as proxy,
        closing(juice.publisher(proxy.pub_uri)) as publisher,
        closing(juice.subscriber(proxy.sub_uri)) as subscriber,
    ):
        for number in range(TOPICS):
            subscriber.subscribe(Reading, topic=place(number, TOPICS))
        with Receiver(subscriber) as receiver, Stream(publisher, TOPICS) as stream:
            before = live_topics(receiver, stream)
            proxy.kill()
            proxy.start()
            started_at = time.monotonic()
            assert receiver.wait_for(stream.sent)
            seconds = time.monotonic() - started_at
            after = live_topics(receiver, stream)
    record_property(
        "juice",
        f"1 kill: {before:,} of {TOPICS:,} subscriptions live before, {after:,} after, says "
        f"nothing; the first event comes after {seconds:.2f} s",
    )
