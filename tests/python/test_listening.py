# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What Juice has deprecated goes on working, with a warning: queue, listen(), stop()."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import juicebus
from events import Mistyped, Numbered
from probing import DEADLINE_S
from tasks import connected, live, waiting


def test_listen_fills_the_queue_and_goes_on_over_what_cannot_be_decoded(
    proxy: juicebus.Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with connected(proxy, Numbered) as (publisher, subscriber):
            with pytest.warns(DeprecationWarning) as warned:
                listening = subscriber.listen()
                queue = subscriber.queue
            assert {warning.filename for warning in warned} == {__file__}
            task = asyncio.ensure_future(listening)
            await publisher.publish_many([Numbered(number=1), Mistyped(), Numbered(number=2)])
            assert [(await queue.get()).number for _ in range(2)] == [1, 2]
            with pytest.warns(DeprecationWarning):
                subscriber.stop()
            await asyncio.wait_for(task, DEADLINE_S)
            assert subscriber.stats().decode_errors == 1

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))
    assert "Numbered." in caplog.text


def test_listen_ends_when_the_subscriber_is_closed(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        with pytest.warns(DeprecationWarning):
            (task,) = await waiting(subscriber.listen())
        subscriber.close()
        await asyncio.wait_for(task, DEADLINE_S)

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


def test_a_listen_that_is_cancelled_at_a_full_queue_loses_no_event(
    proxy: juicebus.Proxy,
) -> None:
    async def main() -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
        publisher = juicebus.PublisherAsync(proxy.pub_uri)
        with pytest.warns(DeprecationWarning) as warned:
            subscriber = juicebus.SubscriberAsync(proxy.sub_uri, queue=queue)
        assert warned[0].filename == __file__
        subscriber.subscribe(Numbered)
        await live(publisher, subscriber)
        with pytest.warns(DeprecationWarning):
            task = asyncio.ensure_future(subscriber.listen())
        await publisher.publish_many([Numbered(number=1), Numbered(number=2)])
        while not queue.full() or not queue._putters:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert queue.get_nowait().number == 1
        assert (await subscriber.get(DEADLINE_S)).number == 2
        subscriber.close()
        await publisher.aclose()

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


@pytest.mark.parametrize("name", ["Subscriber", "Publisher"])
def test_the_earlier_names_warn_when_used(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=name) as warned:
        opened = getattr(juicebus, name)("tcp://127.0.0.1:1")
    assert warned[0].filename == __file__
    assert isinstance(opened, getattr(juicebus, f"{name}Async"))
    opened.close()
