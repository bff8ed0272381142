# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# A Juice service's own way to publishers and subscribers, client.pubsub, leads to
# juicebus after install(), and events flow through proxies of both kinds.
from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from orangeqs.juice.client import pubsub
from orangeqs.juice.messaging import zmq
from orangeqs.juice.schemas.task_manager import TaskManagerConnectionInfo

import juicebus
from fleet import ORIGINAL, Ping, connection, until_received

pytestmark = pytest.mark.usefixtures("installed")


def test_blocking_publisher_reaches_blocking_subscriber(proxy: TaskManagerConnectionInfo) -> None:
    with (
        closing(pubsub.subscriber_blocking(proxy)) as subscriber,
        closing(pubsub.publisher_blocking(proxy)) as publisher,
    ):
        assert isinstance(subscriber, juicebus.SubscriberBlocking)
        assert isinstance(publisher, juicebus.PublisherBlocking)
        subscriber.subscribe(Ping)
        event = until_received(lambda: publisher.publish(Ping(number=1)), subscriber.get)
    assert event.number == 1


def test_async_publisher_reaches_async_subscriber(proxy: TaskManagerConnectionInfo) -> None:
    async def exchange() -> Ping:
        with (
            closing(pubsub.subscriber_async(proxy)) as subscriber,
            closing(pubsub.publisher_async(proxy)) as publisher,
        ):
            assert isinstance(subscriber, juicebus.SubscriberAsync)
            assert isinstance(publisher, juicebus.PublisherAsync)
            subscriber.subscribe(Ping)
            while True:
                await publisher.publish(Ping(number=2))
                try:
                    return await subscriber.get(timeout=0.1)
                except TimeoutError:
                    continue

    assert asyncio.run(asyncio.wait_for(exchange(), 20)).number == 2


def test_one_async_publisher_serves_a_loop(proxy: TaskManagerConnectionInfo) -> None:
    async def publishers() -> bool:
        with closing(pubsub.publisher_async(proxy)) as first:
            return pubsub.publisher_async(proxy) is first

    assert asyncio.run(publishers())


def test_temporary_publisher_delivers(proxy: TaskManagerConnectionInfo) -> None:
    with closing(pubsub.subscriber_blocking(proxy)) as subscriber:
        subscriber.subscribe(Ping)
        with closing(pubsub.publisher_blocking(proxy)) as publisher:
            until_received(lambda: publisher.publish(Ping(number=0)), subscriber.get)
        pubsub.publisher_blocking(proxy).publish(Ping(number=3))
        while (event := subscriber.get(timeout=5)).number != 3:
            assert event.number == 0


def test_temporary_async_publisher_delivers(proxy: TaskManagerConnectionInfo) -> None:
    async def publish() -> None:
        await pubsub.publisher_async(proxy).publish(Ping(number=4))

    with closing(pubsub.subscriber_blocking(proxy)) as subscriber:
        subscriber.subscribe(Ping)
        with closing(pubsub.publisher_blocking(proxy)) as publisher:
            until_received(lambda: publisher.publish(Ping(number=0)), subscriber.get)
        asyncio.run(publish())
        while (event := subscriber.get(timeout=5)).number != 4:
            assert event.number == 0


def test_legacy_subscriber_reads_what_an_installed_publisher_writes(
    juice_proxy: TaskManagerConnectionInfo,
) -> None:
    uri = f"tcp://{juice_proxy.ip}:{juice_proxy.sub_port}"
    with (
        closing(ORIGINAL["ZMQSubscriberBlocking"](uri)) as subscriber,
        closing(pubsub.publisher_blocking(juice_proxy)) as publisher,
    ):
        subscriber.subscribe(Ping)
        event = until_received(lambda: publisher.publish(Ping(number=5)), subscriber.get)
    assert event.number == 5


def test_publisher_binds_where_juice_binds(tmp_path: Path) -> None:
    uri = f"ipc://{tmp_path}/publisher"
    with (
        closing(zmq.ZMQPublisherBlocking(uri, True)) as publisher,
        closing(zmq.ZMQSubscriberBlocking(uri)) as subscriber,
    ):
        subscriber.subscribe(Ping)
        event = until_received(lambda: publisher.publish(Ping(number=6)), subscriber.get)
    assert event.number == 6


@pytest.mark.parametrize("twin", ["Blocking", "Async"])
def test_what_is_published_before_the_proxy_is_there_arrives(tmp_path: Path, twin: str) -> None:
    uris = f"ipc://{tmp_path}/pub", f"ipc://{tmp_path}/sub"
    with (
        closing(getattr(zmq, f"ZMQPublisher{twin}")(uris[0])) as publisher,
        closing(zmq.ZMQSubscriberBlocking(uris[1])) as subscriber,
    ):
        subscriber.subscribe(Ping)
        if twin == "Async":
            asyncio.run(publisher.publish(Ping(number=8)))
        else:
            publisher.publish(Ping(number=8))
        with closing(zmq.ZMQProxy(*uris)):
            assert subscriber.get(timeout=20).number == 8


def test_installed_proxy_calls_on_message_with_each_forwarded_key() -> None:
    keys: set[bytes] = set()

    async def forward() -> None:
        seen = asyncio.Event()

        def on_message(key: bytes) -> None:
            keys.add(key)
            seen.set()

        proxy = zmq.ZMQProxy("tcp://*:0", sub_uri="tcp://*:0", on_message=on_message)
        ports = [int(uri.rpartition(":")[2]) for uri in (proxy.pub_uri, proxy.sub_uri)]
        running = asyncio.create_task(proxy.run())
        with closing(pubsub.publisher_async(connection(*ports))) as publisher:
            await publisher.publish(Ping(number=7))
            await asyncio.wait_for(seen.wait(), 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(forward())
    assert keys == {b"Ping."}
