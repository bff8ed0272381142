# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What both subscribers promise."""

from __future__ import annotations

import math
from typing import Any

import pytest

import juicebus
from events import Mistyped, Numbered, Probe, Temperature
from probing import until
from twins import Twin


def taken_until_some_wait(twin: Twin) -> tuple[Any, list[Any]]:
    """Take numbered events until the subscriber has taken others ahead."""
    publisher, subscriber = twin.connected(Numbered)
    taken: list[Any] = []

    def attempt() -> None:
        # All of the same size in CBOR.
        numbers = range(1000 + len(taken), 1050 + len(taken))
        twin.run(publisher.publish_many([Numbered(number=number) for number in numbers]))
        for _ in numbers:
            taken.append(twin.run(subscriber.get(5)))
            if subscriber.stats().pending_events:
                return

    until(lambda: subscriber.stats().pending_events > 0, attempt)
    return subscriber, taken


def test_get_returns_what_was_published(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Temperature)
    event = Temperature(kelvin=0.01, place="fridge.4K")
    twin.run(publisher.publish(event))
    assert twin.run(subscriber.get(5)) == event


def test_events_come_in_the_order_of_publishing(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.publish_many(Numbered(number=n) for n in range(500)))
    assert [twin.run(subscriber.get(5)).number for _ in range(500)] == list(range(500))


def test_a_subscription_with_a_topic_takes_in_what_is_below_it_only(twin: Twin) -> None:
    publisher, subscriber = twin.connected()
    subscriber.subscribe(Temperature, topic="a.b")
    assert twin.run(subscriber.ready())
    places = ["a.b", "a.bb", "a", "a.b.c", "b", None]
    twin.run(publisher.publish_many([Temperature(place=place) for place in places]))
    twin.run(publisher.publish(Probe()))
    received = []
    while not isinstance(event := twin.run(subscriber.get(5)), Probe):
        received.append(event.place)
    assert received == ["a.b", "a.b.c"]


def test_before_the_first_subscribe_nothing_is_received(twin: Twin) -> None:
    publisher, _ = twin.connected()
    silent = twin.subscriber_class(twin.proxy.sub_uri)
    twin.run(publisher.publish(Probe()))
    with pytest.raises(TimeoutError):
        twin.run(silent.get(0.2))
    silent.close()


def test_a_get_that_finds_nothing_names_the_time_and_the_address(twin: Twin) -> None:
    subscriber = twin.subscriber()
    with pytest.raises(TimeoutError, match=f"no event within 0.05 s from {twin.proxy.sub_uri}"):
        twin.run(subscriber.get(0.05))


def test_a_timeout_of_zero_takes_an_event_that_is_there(twin: Twin) -> None:
    subscriber, taken = taken_until_some_wait(twin)
    assert twin.run(subscriber.get(0)).number == taken[-1].number + 1


def test_an_infinite_timeout_waits(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.publish(Numbered(number=1)))
    assert twin.run(subscriber.get(math.inf)).number == 1


def test_get_many_returns_no_more_than_asked_for(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.publish_many([Numbered(number=n) for n in range(300)]))
    received: list[int] = []
    while len(received) < 300:
        events = twin.run(subscriber.get_many(7, 5))
        assert 1 <= len(events) <= 7
        received += [event.number for event in events]
    assert received == list(range(300))


@pytest.mark.parametrize("size", [10, 1_000, 50_000], ids="{:,} bytes".format)
def test_a_batch_holds_its_events_whatever_their_size(twin: Twin, size: int) -> None:
    publisher, subscriber = twin.connected(Mistyped)
    sizes: list[int] = []

    def attempt() -> None:
        published = [Mistyped(number=f"{n:{size}}") for n in range(10)]
        twin.run(publisher.publish_many(published))
        received: list[Any] = []
        while len(received) < len(published):
            received += (batch := twin.run(subscriber.get_many(10, 5)))
            sizes.append(len(batch))
        assert received == published

    until(lambda: max(sizes, default=0) > 1, attempt)


def test_an_undecodable_event_is_raised_once_and_the_next_get_gets_the_next(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.publish_many([Mistyped(), Numbered(number=2)]))
    with pytest.raises(juicebus.DecodeError, match=r"'Numbered\.': number: .*integer"):
        twin.run(subscriber.get(5))
    assert twin.run(subscriber.get(5)).number == 2
    assert subscriber.stats().decode_errors == 1


def test_get_many_returns_the_good_events_before_an_undecodable_one(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    good = [Numbered(number=n) for n in range(3)]
    twin.run(publisher.publish_many([*good, Mistyped(), Numbered(number=9)]))
    # The first get takes all that is there into the subscriber.
    first = twin.run(subscriber.get(5))
    rest: list[Any] = []
    while len(rest) < 2:
        rest += twin.run(subscriber.get_many(100, 5))
    assert [first, *rest] == good
    with pytest.raises(juicebus.DecodeError):
        twin.run(subscriber.get_many(100, 5))
    assert [event.number for event in twin.run(subscriber.get_many(100, 5))] == [9]
    assert subscriber.stats().decode_errors == 1


def test_a_payload_of_another_number_of_frames_cannot_be_decoded(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.send_frame([b"Numbered.", b"{}", b"{}"]))
    twin.run(publisher.send_frame([b"Numbered."]))
    for count in (2, 0):
        with pytest.raises(juicebus.DecodeError, match=f"1 payload frame expected, {count} came"):
            twin.run(subscriber.get(5))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xff", "expected a CBOR map or a JSON object"),
        (b"\xa1\x61a", "CBOR|cbor|unexpected"),
        (b"{not json", "JSON|character"),
        (b"\xa0", "number: Field required"),
    ],
)
def test_a_damaged_payload_says_why_it_cannot_be_decoded(
    twin: Twin, payload: bytes, reason: str
) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.send_frame([b"Numbered.x.", payload]))
    with pytest.raises(juicebus.DecodeError, match=rf"^event 'Numbered\.x\.': .*({reason})"):
        twin.run(subscriber.get(5))


def test_what_was_unsubscribed_does_not_come(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered, Temperature)
    subscriber.unsubscribe(Numbered)
    assert twin.run(subscriber.ready())
    twin.run(publisher.publish_many([Numbered(number=1), Temperature()]))
    assert isinstance(twin.run(subscriber.get(5)), Temperature)


def test_an_event_that_waits_when_its_type_is_unsubscribed_is_skipped(twin: Twin) -> None:
    subscriber, _ = taken_until_some_wait(twin)
    waiting = subscriber.stats().pending_events
    subscriber.unsubscribe(Numbered)
    with pytest.raises(TimeoutError):
        twin.run(subscriber.get(0))
    assert subscriber.stats().skipped >= waiting


def test_unsubscribing_what_was_not_subscribed_is_fine(twin: Twin) -> None:
    twin.subscriber().unsubscribe(Numbered, topic="x")


def test_iterating_skips_counts_and_tells_once_of_what_cannot_be_decoded(
    twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    publisher, subscriber = twin.connected(Numbered)
    twin.run(publisher.publish_many([Mistyped(), Numbered(number=1), Mistyped()]))
    twin.run(publisher.publish(Numbered(number=2)))
    received = []

    async def iterate() -> None:
        async for event in subscriber:
            received.append(event.number)
            if len(received) == 2:
                subscriber.close()

    if twin.kind == "aio":
        twin.run(iterate())
    else:
        for event in subscriber:
            received.append(event.number)
            if len(received) == 2:
                assert subscriber.stats().decode_errors == 2
                subscriber.close()
    assert received == [1, 2]
    (told,) = (record.message for record in caplog.records if record.name == "juicebus")
    assert "skipped" in told and "number" in told


def test_close_forgets_events_that_were_not_taken(twin: Twin) -> None:
    subscriber, _ = taken_until_some_wait(twin)
    subscriber.close()
    with pytest.raises(juicebus.ClosedError):
        twin.run(subscriber.get(0))


def test_what_is_published_after_ready_is_received(twin: Twin) -> None:
    publisher, subscriber = twin.publisher(), twin.subscriber()
    assert twin.run(subscriber.ready(5)) is True
    event = Probe()
    twin.run(publisher.publish(event))
    assert twin.run(subscriber.get(5)) == event


def test_ready_without_a_proxy_says_so_after_the_timeout(twin: Twin) -> None:
    subscriber = twin.subscriber_class("tcp://127.0.0.1:1")
    with pytest.raises(TimeoutError, match="ready: no answer within 0.1 s .*: no proxy has answ"):
        twin.run(subscriber.ready(0.1))
    subscriber.close()


def test_ready_at_the_wrong_port_says_so(twin: Twin) -> None:
    subscriber = twin.subscriber_class(twin.proxy.pub_uri)
    with pytest.raises(TimeoutError, match="ready: .*: who answers there is no such side of a"):
        twin.run(subscriber.ready(1))
    subscriber.close()


def test_connected_follows_the_proxy(twin: Twin, tmp_path: Any) -> None:
    uris = f"ipc://{tmp_path}/pub", f"ipc://{tmp_path}/sub"
    publisher, subscriber = twin.publisher_class(uris[0]), twin.subscriber_class(uris[1])

    def both() -> tuple[bool, bool]:
        return publisher.connected, subscriber.connected

    assert both() == (False, False)
    assert subscriber.stats().connected_since is None
    with juicebus.Proxy(*uris):
        until(lambda: both() == (True, True), subscriber.stats)
        assert publisher.stats().connected_since is not None
        assert subscriber.stats().connected_since is not None
    until(lambda: both() == (False, False), subscriber.stats)
    publisher.close()
    subscriber.close()
    assert both() == (False, False)


def test_stats_count_what_get_returned(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    events = [Numbered(number=n) for n in range(10)]
    twin.run(publisher.publish_many(events))
    for _ in events:
        twin.run(subscriber.get(5))
    stats = subscriber.stats()
    assert stats.events == 10
    # The key, three names of fields' lengths, and what they hold.
    assert 10 * len(b"Numbered.") < stats.bytes < 10 * 100
    assert (stats.lost, stats.dropped, stats.connected) == (0, 0, True)


def test_stats_tell_events_that_wait_from_those_that_were_returned(twin: Twin) -> None:
    subscriber, taken = taken_until_some_wait(twin)
    stats = subscriber.stats()
    assert stats.pending_events > 0
    assert stats.events == len(taken)
    sizes = {stats.pending_bytes / stats.pending_events}
    twin.run(subscriber.get(0))
    assert subscriber.stats().events == stats.events + 1
    assert sizes == {subscriber.stats().bytes - stats.bytes}


def test_an_event_over_the_maximum_size_is_dropped_and_counted(twin: Twin) -> None:
    publisher, _ = twin.connected()
    small = twin.subscriber(Temperature, max_event_bytes=200)
    assert twin.run(small.ready())
    large, event = Temperature(place="x" * 300), Temperature(place="x")
    twin.run(publisher.publish_many([large, event]))
    assert twin.run(small.get(5)) == event
    assert small.stats().dropped == 1
