# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What both publishers promise."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import pytest

import juicebus
from events import Numbered, Probe, Temperature
from probing import DEADLINE_S, until
from twins import Twin

NOBODY = "tcp://127.0.0.1:1"


def test_what_is_published_before_the_proxy_is_there_arrives_in_order(
    twin: Twin, tmp_path: Any
) -> None:
    uris = f"ipc://{tmp_path}/pub", f"ipc://{tmp_path}/sub"
    publisher, subscriber = twin.publisher_class(uris[0]), twin.subscriber_class(uris[1])
    subscriber.subscribe(Numbered)
    twin.run(publisher.publish(Numbered(number=0), timeout=0))
    twin.run(publisher.publish_many([Numbered(number=1), Numbered(number=2)], timeout=0))
    twin.run(publisher.send_frame([b"Numbered.", *Numbered(number=3).to_msg()], timeout=0))
    stats = publisher.stats()
    assert (stats.events, stats.pending_events, stats.unconfirmed) == (4, 4, 0)
    assert stats.pending_bytes == stats.bytes > 0
    # Held for longer than reconnecting takes, also on a machine under load.
    with juicebus.Proxy(*uris, hold=2.0):
        assert [twin.run(subscriber.get(DEADLINE_S)).number for _ in range(4)] == [0, 1, 2, 3]
        assert publisher.stats().pending_events == 0
        publisher.close()
        subscriber.close()


def test_a_full_queue_says_so_after_the_timeout(twin: Twin) -> None:
    publisher = twin.publisher_class(NOBODY, max_events=1)
    twin.run(publisher.publish(Probe()))
    begin = time.monotonic()
    with pytest.raises(
        TimeoutError, match=f"publish to {NOBODY}: its queue stayed full: it is not connected"
    ):
        twin.run(publisher.publish(Probe(), timeout=0.3))
    assert 0.25 < time.monotonic() - begin < 3
    publisher.close(0)


@pytest.mark.parametrize("timeout", [0, None])
def test_without_a_queue_publish_says_at_once_that_there_is_no_proxy(
    twin: Twin, timeout: float | None
) -> None:
    publisher = twin.publisher_class(NOBODY, max_events=0)
    with pytest.raises(ConnectionError, match="127.0.0.1:1.*no proxy") as caught:
        twin.run(publisher.publish(Probe(), timeout=timeout))
    assert isinstance(caught.value, juicebus.NotConnectedError)
    publisher.close(0)


@pytest.mark.parametrize(("overflow", "kept"), [("drop_oldest", [2, 3]), ("drop_newest", [0, 1])])
def test_a_full_queue_drops_what_its_overflow_says(
    twin: Twin, tmp_path: Any, overflow: str, kept: list[int]
) -> None:
    uris = f"ipc://{tmp_path}/pub", f"ipc://{tmp_path}/sub"
    subscriber = twin.subscriber_class(uris[1])
    subscriber.subscribe(Numbered)
    publisher = twin.publisher_class(uris[0], max_events=2, overflow=overflow)
    twin.run(publisher.publish_many([Numbered(number=n) for n in range(4)], timeout=0))
    assert publisher.stats().dropped == 2
    with juicebus.Proxy(*uris, hold=2.0):  # for longer than reconnecting takes
        assert [twin.run(subscriber.get(DEADLINE_S)).number for _ in range(2)] == kept
        publisher.close()
        subscriber.close()


def test_max_bytes_bounds_the_queue(twin: Twin) -> None:
    publisher = twin.publisher_class(NOBODY, max_bytes=1000)
    with pytest.raises(TimeoutError, match="queue stayed full"):
        twin.run(publisher.publish_many([Temperature(place="x" * 200)] * 9, timeout=0))
    assert 500 < publisher.stats().pending_bytes <= 1000
    publisher.close(0)


@pytest.mark.parametrize("timeout", [-1, math.nan, "1"])
def test_a_timeout_that_is_none_is_refused(twin: Twin, timeout: Any) -> None:
    publisher = twin.publisher()
    for method, arguments in (
        (publisher.publish, [Probe()]),
        (publisher.publish_many, [[Probe()]]),
        (publisher.send_frame, [[b"Probe."]]),
        (publisher.wait_connected, []),
        (publisher.flush, []),
        (publisher.close, []),
    ):
        with pytest.raises(ValueError, match="timeout"):
            twin.run(method(*arguments, timeout))


def test_wait_connected_returns_when_the_proxy_is_there(twin: Twin) -> None:
    publisher = twin.publisher()
    twin.run(publisher.wait_connected(5))
    assert publisher.stats().connected


def test_wait_connected_says_what_is_not_there(twin: Twin) -> None:
    publisher = twin.publisher_class(NOBODY)
    with pytest.raises(juicebus.NotConnectedError, match="127.0.0.1:1"):
        twin.run(publisher.wait_connected(0.1))
    publisher.close(0)


def test_a_publish_that_waits_goes_on_when_the_proxy_comes(twin: Twin, tmp_path: Any) -> None:
    uris = f"ipc://{tmp_path}/pub", f"ipc://{tmp_path}/sub"
    publisher = twin.publisher_class(uris[0], max_events=1)
    twin.run(publisher.publish(Probe()))
    with pytest.raises(TimeoutError):
        twin.run(publisher.publish(Probe(), timeout=0.2))
    with juicebus.Proxy(*uris, hold=0):
        twin.run(publisher.publish(Probe(), timeout=DEADLINE_S))
        publisher.close()


def test_what_was_flushed_has_reached_the_proxy(twin: Twin) -> None:
    publisher = twin.publisher()
    twin.run(publisher.publish_many([Numbered(number=n) for n in range(500)]))
    assert twin.run(publisher.flush()) is True
    assert publisher.stats().unconfirmed == 0
    # Its counts follow the events by a moment.
    until(lambda: twin.proxy.stats().events == 500, lambda: None)


def test_flush_without_a_proxy_says_so_after_the_timeout(twin: Twin) -> None:
    publisher = twin.publisher_class(NOBODY)
    twin.run(publisher.publish(Probe()))
    with pytest.raises(TimeoutError, match="flush: no answer within 0.1 s .*: no proxy has answ"):
        twin.run(publisher.flush(0.1))
    publisher.close(0)


def test_flush_at_the_wrong_port_says_so(twin: Twin) -> None:
    publisher = twin.publisher_class(twin.proxy.sub_uri)
    twin.run(publisher.publish(Probe()))
    with pytest.raises(TimeoutError, match="flush: .*: who answers there is no such side of a"):
        twin.run(publisher.flush(1))
    publisher.close(0)


def test_flush_of_a_publisher_that_binds_cannot_be_known(twin: Twin, tmp_path: Any) -> None:
    publisher = twin.publisher_class(f"ipc://{tmp_path}/direct", bind=True)
    assert twin.run(publisher.flush()) is False
    publisher.close()


def test_publish_many_of_nothing_does_nothing(twin: Twin) -> None:
    twin.run(twin.publisher_class(NOBODY).publish_many([], timeout=0))


def test_publish_many_that_cannot_encode_an_event_sends_none(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Numbered)
    bad = Numbered.model_construct(number=object())
    with pytest.raises(ValueError, match="publish Numbered"):
        twin.run(publisher.publish_many([Numbered(number=1), bad]))
    twin.run(publisher.publish(Numbered(number=2)))
    assert twin.run(subscriber.get(5)).number == 2


def test_publish_many_says_how_many_went_before_one_that_is_too_large(twin: Twin) -> None:
    publisher = twin.publisher(max_event_bytes=200)
    twin.run(publisher.wait_connected())
    events = [Temperature(), Temperature(), Temperature(place="x" * 300), Temperature()]
    with pytest.raises(juicebus.InvalidError, match="2 of 4 events were queued, then: .*200"):
        twin.run(publisher.publish_many(events))


def test_publish_many_says_how_many_the_queue_took(twin: Twin) -> None:
    publisher = twin.publisher_class(NOBODY, max_events=2)
    with pytest.raises(TimeoutError, match="2 of 3 events were queued, then: .* not connected"):
        twin.run(publisher.publish_many([Probe()] * 3, timeout=0.05))
    publisher.close(0)


def test_an_event_over_the_maximum_size_is_refused_and_the_connection_kept(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Temperature, max_event_bytes=200)
    with pytest.raises(juicebus.InvalidError, match="200"):
        twin.run(publisher.publish(Temperature(place="x" * 300)))
    twin.run(publisher.publish(Temperature(kelvin=1)))
    assert twin.run(subscriber.get(5)).kelvin == 1
    assert publisher.stats().reconnects == 0


def test_send_frame_sends_the_frames_as_they_are(twin: Twin) -> None:
    publisher, subscriber = twin.connected(Temperature)
    event = Temperature(kelvin=3)
    twin.run(publisher.send_frame([b"Temperature.", *event.to_msg()]))
    assert twin.run(subscriber.get(5)) == event


@pytest.mark.parametrize("frames", [[], [b"no dot"], [b"\xff."], [b"a\0."], b"Probe.", "Probe."])
def test_send_frame_refuses_what_has_no_key(twin: Twin, frames: Any) -> None:
    publisher = twin.publisher()
    twin.run(publisher.wait_connected())
    with pytest.raises(ValueError):
        twin.run(publisher.send_frame(frames))


class Named(juicebus.Event):
    """An event with any name and topic."""

    wire_name: Any
    wire_topic: Any = None

    def name(self) -> Any:  # type: ignore[override]
        return self.wire_name

    def topic(self) -> Any:
        return self.wire_topic


@pytest.mark.parametrize(
    "names", [("",), ("a\0b",), ("a", "b\0"), ("\ud800",), ("a", "\ud800"), ("n" * 600, "t" * 600)]
)
def test_a_name_that_cannot_be_a_key_is_refused(twin: Twin, names: tuple[str, ...]) -> None:
    publisher = twin.publisher()
    twin.run(publisher.wait_connected())
    event = Named(wire_name=names[0], wire_topic=names[-1] if len(names) == 2 else None)
    with pytest.raises(juicebus.InvalidError):
        twin.run(publisher.publish(event))


@pytest.mark.parametrize("event", [None, "Probe", 3, Probe, {"a": 1}])
def test_what_is_no_event_is_refused(twin: Twin, event: Any) -> None:
    with pytest.raises(TypeError):
        twin.run(twin.publisher().publish(event))


def test_stats_count_what_was_queued(twin: Twin) -> None:
    publisher = twin.publisher()
    twin.run(publisher.publish_many([Numbered(number=n) for n in range(7)]))
    stats = publisher.stats()
    assert (stats.events, stats.dropped, stats.reconnects) == (7, 0, 0)
    assert 7 * len(b"Numbered.") < stats.bytes < 7 * 100
    twin.run(publisher.flush())
    stats = publisher.stats()
    assert (stats.pending_events, stats.pending_bytes, stats.unconfirmed) == (0, 0, 0)


def test_a_closed_publisher_says_so(twin: Twin) -> None:
    publisher = twin.publisher()
    publisher.close()
    publisher.close()
    for call in (
        lambda: publisher.publish(Probe()),
        lambda: publisher.publish_many([Probe()]),
        lambda: publisher.send_frame([b"Probe.", b"{}"]),
        lambda: publisher.wait_connected(),
        lambda: publisher.flush(),
        publisher.stats,
    ):
        with pytest.raises(juicebus.ClosedError, match="closed"):
            twin.run(call())


def test_a_publisher_that_binds_needs_no_proxy(twin: Twin, tmp_path: Any) -> None:
    uri = f"ipc://{tmp_path}/direct"
    subscriber = twin.subscriber_class(uri)
    subscriber.subscribe(Probe)
    publisher = twin.publisher_class(uri, bind=True)
    event = Probe()
    twin.run(publisher.publish(event, timeout=10))
    assert twin.run(subscriber.get(5)) == event
    publisher.close()
    subscriber.close()


def test_an_address_that_is_taken_is_refused(twin: Twin, tmp_path: Any) -> None:
    uri = twin.proxy.pub_uri
    with pytest.raises(OSError, match=uri) as caught:
        twin.publisher_class(uri, bind=True)
    assert isinstance(caught.value, juicebus.SystemFault)


class OwnFrames(juicebus.Event):
    """Writes two frames of its own."""

    left: str = ""
    right: str = ""

    def to_msg(self) -> Sequence[bytes]:
        return self.left.encode(), memoryview(self.right.encode())  # type: ignore[return-value]

    @classmethod
    def from_msg(cls, msg: Sequence[bytes]) -> OwnFrames:
        left, right = msg
        return cls(left=left.decode(), right=right.decode())


@pytest.mark.parametrize("codec", ["cbor", "json"])
def test_a_class_with_frames_of_its_own_keeps_them(twin: Twin, codec: str) -> None:
    publisher, subscriber = twin.connected(OwnFrames, codec=codec)
    twin.run(publisher.publish(OwnFrames(left="a", right="b")))
    twin.run(publisher.publish_many([OwnFrames(left="c"), OwnFrames(right="d")]))
    received = [twin.run(subscriber.get(5)) for _ in range(3)]
    assert [(event.left, event.right) for event in received] == [("a", "b"), ("c", ""), ("", "d")]


class OwnFrame(juicebus.Event):
    """Writes one frame of its own that is neither CBOR nor JSON."""

    text: str = ""

    def to_msg(self) -> Sequence[bytes]:
        return (b"\xff" + self.text.encode(),)

    @classmethod
    def from_msg(cls, msg: Sequence[bytes]) -> OwnFrame:
        (frame,) = msg
        return cls(text=frame[1:].decode())


@pytest.mark.parametrize("codec", ["cbor", "json"])
def test_one_frame_of_a_class_s_own_is_sent_as_it_is(twin: Twin, codec: str) -> None:
    publisher, subscriber = twin.connected(OwnFrame, codec=codec)
    twin.run(publisher.publish(OwnFrame(text="a")))
    twin.run(publisher.publish_many([OwnFrame(text="b"), OwnFrame()]))
    assert [twin.run(subscriber.get(5)).text for _ in range(3)] == ["a", "b", ""]


@pytest.mark.parametrize("publisher_codec", ["cbor", "json"])
def test_a_subscriber_reads_either_codec(twin: Twin, publisher_codec: str) -> None:
    publisher, subscriber = twin.connected(Temperature, codec=publisher_codec)
    event = Temperature(kelvin=math.inf, place="x")
    twin.run(publisher.publish(event))
    assert twin.run(subscriber.get(5)) == event
