# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The embedded proxy: forwarding, run() with on_message, and what topics() adds up."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import juicebus
from events import Probe, Temperature
from probing import DEADLINE_S, until

FREE = "tcp://127.0.0.1:0"


def publish(proxy: juicebus.Proxy, *events: Any) -> None:
    """Publish events, and return when the proxy has forwarded them."""
    before = proxy.stats().events
    with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
        publisher.publish_many(events)
        until(lambda: proxy.stats().events >= before + len(events), lambda: None)


def test_it_forwards_from_construction_on() -> None:
    with (
        juicebus.Proxy(FREE, FREE, hold=0) as proxy,
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
    ):
        subscriber.subscribe(Probe)
        assert subscriber.ready()
        event = Probe()
        publisher.publish(event)
        assert subscriber.get(DEADLINE_S) == event


def test_it_tells_the_ports_it_has_chosen(proxy: juicebus.Proxy) -> None:
    for uri in (proxy.pub_uri, proxy.sub_uri):
        assert int(uri.removeprefix("tcp://127.0.0.1:")) > 0


def test_an_address_that_is_taken_is_refused_by_name(proxy: juicebus.Proxy) -> None:
    with pytest.raises(OSError, match=proxy.pub_uri):
        juicebus.Proxy(proxy.pub_uri, FREE)


@pytest.mark.parametrize("uris", [("", FREE), (FREE, "nonsense"), ("tcp://127.0.0.1", FREE)])
def test_a_malformed_uri_is_refused(uris: tuple[str, str]) -> None:
    with pytest.raises(juicebus.InvalidError):
        juicebus.Proxy(*uris)


@pytest.mark.parametrize(
    "options",
    [
        {"hold": -1},
        {"max_event_bytes": "1"},
        {"max_bytes": 0},
        {"max_subscriptions": 0},
    ],
)
def test_an_option_out_of_range_is_refused(options: Any) -> None:
    with pytest.raises(ValueError):
        juicebus.Proxy(FREE, FREE, **options)


def test_close_frees_the_addresses() -> None:
    proxy = juicebus.Proxy(FREE, FREE)
    uris = proxy.pub_uri, proxy.sub_uri
    proxy.close()
    proxy.close()

    again: list[juicebus.Proxy] = []

    def attempt() -> None:
        try:
            again.append(juicebus.Proxy(*uris))
        except juicebus.SystemFault:
            return

    until(lambda: bool(again), attempt)
    again[0].close()


def test_a_closed_proxy_says_so() -> None:
    proxy = juicebus.Proxy(FREE, FREE)
    proxy.close()
    with pytest.raises(juicebus.ClosedError):
        proxy.stats()
    with pytest.raises(juicebus.ClosedError):
        proxy.topics()
    with pytest.raises(juicebus.ClosedError):
        asyncio.run(proxy.run())


def test_topics_count_what_each_key_has_had(proxy: juicebus.Proxy) -> None:
    begin = datetime.now(timezone.utc) - timedelta(seconds=1)
    publish(proxy, Probe(), Temperature(place="a.b"), Temperature(place="a.b"))
    topics = proxy.topics()
    assert {name: stats.events for name, stats in topics.items()} == {
        "Probe": 1,
        "Temperature.a.b": 2,
    }
    assert topics["Temperature.a.b"].bytes > 2 * len("Temperature.a.b.")
    assert all(begin < stats.last_seen <= datetime.now(timezone.utc) for stats in topics.values())


def test_topics_are_cumulative(proxy: juicebus.Proxy) -> None:
    publish(proxy, Probe())
    assert proxy.topics()["Probe"].events == 1
    publish(proxy, Temperature())
    publish(proxy, Probe())
    assert {name: stats.events for name, stats in proxy.topics().items()} == {
        "Probe": 2,
        "Temperature": 1,
    }


def test_stats_count_what_was_forwarded(proxy: juicebus.Proxy) -> None:
    publish(proxy, *(Probe() for _ in range(5)))
    stats = proxy.stats()
    assert (stats.events, stats.refused, stats.keys, stats.cut_off) == (5, 0, 1, 0)
    assert stats.bytes > 5 * len("Probe.")


async def running(proxy: juicebus.Proxy) -> asyncio.Task[None]:
    """Start run(), and return when it waits."""
    task = asyncio.ensure_future(proxy.run())
    for _ in range(5):
        await asyncio.sleep(0)
    assert proxy._readable.has_waiters()
    return task


@pytest.mark.parametrize("asks_topics", [False, True])
def test_run_calls_on_message_with_each_key_also_if_topics_asks_first(asks_topics: bool) -> None:
    async def main() -> None:
        seen: list[bytes] = []
        async with juicebus.Proxy(FREE, FREE, seen.append, hold=0) as proxy:
            task = await running(proxy)
            thread = threading.Thread(target=publish, args=(proxy, Probe(), Temperature(place="x")))
            thread.start()
            while set(seen) != {b"Probe.", b"Temperature.x."}:
                assert not task.done()
                if asks_topics:
                    proxy.topics()
                await asyncio.sleep(0)
            thread.join()
            proxy.close()
            await asyncio.wait_for(task, DEADLINE_S)

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


def test_run_reports_what_was_forwarded_before_it() -> None:
    async def main() -> None:
        seen: asyncio.Queue[bytes] = asyncio.Queue()
        with juicebus.Proxy(FREE, FREE, seen.put_nowait, hold=0) as proxy:
            publish(proxy, Probe())
            assert proxy.topics()["Probe"].events == 1
            task = asyncio.ensure_future(proxy.run())
            assert await asyncio.wait_for(seen.get(), DEADLINE_S) == b"Probe."
            task.cancel()

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


def test_an_exception_of_on_message_is_logged_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        seen: list[bytes] = []

        def on_message(key: bytes) -> None:
            seen.append(key)
            raise RuntimeError("observer")

        with juicebus.Proxy(FREE, FREE, on_message, hold=0) as proxy:
            task = await running(proxy)
            for event in (Probe(), Temperature()):
                count = len(seen)
                await asyncio.to_thread(publish, proxy, event)
                while len(seen) == count:
                    await asyncio.sleep(0)
            assert not task.done()
            task.cancel()

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))
    assert "observer" in caplog.text


def test_cancelling_run_closes_the_proxy() -> None:
    async def main() -> None:
        proxy = juicebus.Proxy(FREE, FREE)
        task = await running(proxy)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(juicebus.ClosedError):
            proxy.stats()

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


def test_close_from_another_thread_ends_run() -> None:
    async def main() -> None:
        proxy = juicebus.Proxy(FREE, FREE)
        task = await running(proxy)
        threading.Thread(target=proxy.close).start()
        await asyncio.wait_for(task, DEADLINE_S)

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))
