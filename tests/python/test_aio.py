# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What the asyncio twins promise beyond what both do: cancelling, many tasks, many loops."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time
import weakref
from contextlib import closing
from typing import Any

import pytest

import juicebus
from events import Mistyped, Numbered, Probe
from probing import DEADLINE_S
from tasks import connected, live, waiting

# Newer Pythons warn of every fork of a process with threads.
forks = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def test_a_cancelled_get_loses_no_event(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with connected(proxy, Numbered) as (publisher, subscriber):
            await publisher.publish_many([Numbered(number=n) for n in range(200)])
            received: list[int] = []
            turns = 0
            while len(received) < 200:
                task = asyncio.ensure_future(subscriber.get(DEADLINE_S))
                for _ in range(turns % 4):
                    await asyncio.sleep(0)
                turns += 1
                if turns % 3:
                    task.cancel()
                try:
                    received.append((await task).number)
                except asyncio.CancelledError:
                    continue
            assert received == list(range(200))

    asyncio.run(main())


def test_a_woken_get_that_is_cancelled_wakes_the_next(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with connected(proxy) as (publisher, subscriber):
            first, second = await waiting(subscriber.get(), subscriber.get())
            event = Probe()
            await publisher.publish(event)
            # Woken in the loop's step that cancels it.
            subscriber._readable.wake(1)
            first.cancel()
            assert await asyncio.wait_for(second, DEADLINE_S) == event
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())


@pytest.mark.parametrize("many", [False, True], ids=["get", "get_many"])
def test_a_get_that_cannot_decode_its_event_wakes_the_next(
    proxy: juicebus.Proxy, many: bool
) -> None:
    async def main() -> None:
        async with connected(proxy, Numbered) as (publisher, subscriber):
            gets = [subscriber.get_many(9) if many else subscriber.get() for _ in range(2)]
            first, second = await waiting(*gets)
            event = Numbered(number=1)
            await publisher.publish_many([Mistyped(), event])
            with pytest.raises(juicebus.DecodeError):
                await asyncio.wait_for(first, DEADLINE_S)
            got = await asyncio.wait_for(second, DEADLINE_S)
            assert got == ([event] if many else event)

    asyncio.run(main())


def test_a_wake_is_not_lost_on_a_task_that_its_own_loop_has_cancelled(
    proxy: juicebus.Proxy,
) -> None:
    publisher = juicebus.PublisherBlocking(proxy.pub_uri)
    subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
    subscriber.subscribe(Numbered)

    async def get_the_first_of_two() -> None:
        publisher.publish_many([Numbered(number=n) for n in range(2)])
        publisher.flush()
        assert (await subscriber.get(DEADLINE_S)).number == 0

    async def main() -> None:
        assert await subscriber.ready(DEADLINE_S)
        cancelled, waits = await waiting(subscriber.get(), subscriber.get())
        cancelled.cancel()
        # Another loop takes both events before this one comes to what it has cancelled.
        thread = threading.Thread(target=lambda: asyncio.run(get_the_first_of_two()))
        thread.start()
        thread.join()
        assert (await asyncio.wait_for(waits, DEADLINE_S)).number == 1

    with closing(publisher), closing(subscriber):
        asyncio.run(main())


def test_each_event_goes_to_one_of_the_tasks_that_wait(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with connected(proxy, Numbered) as (publisher, subscriber):
            tasks = await waiting(*(subscriber.get(DEADLINE_S) for _ in range(20)))
            await publisher.publish_many([Numbered(number=n) for n in range(20)])
            received = await asyncio.gather(*tasks)
            assert sorted(event.number for event in received) == list(range(20))

    asyncio.run(main())


def test_close_ends_every_get_that_waits(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        subscriber.subscribe(Probe)
        tasks = await waiting(subscriber.get(), subscriber.get(), subscriber.get_many(3))
        subscriber.close()
        for task in tasks:
            with pytest.raises(juicebus.ClosedError):
                await asyncio.wait_for(task, DEADLINE_S)

    asyncio.run(main())


def test_close_from_another_thread_ends_a_get_that_waits(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        (task,) = await waiting(subscriber.get())
        threading.Thread(target=subscriber.close).start()
        with pytest.raises(juicebus.ClosedError):
            await asyncio.wait_for(task, DEADLINE_S)

    asyncio.run(main())


def test_close_ends_a_publish_that_waits() -> None:
    async def main() -> None:
        publisher = juicebus.PublisherAsync("tcp://127.0.0.1:1", max_events=1)
        await publisher.publish(Probe())
        (task,) = await waiting(publisher.publish(Probe(), timeout=None))
        publisher.close()
        with pytest.raises(juicebus.ClosedError):
            await asyncio.wait_for(task, DEADLINE_S)

    asyncio.run(main())


def test_a_loop_after_another_uses_the_same_objects(proxy: juicebus.Proxy) -> None:
    publisher = juicebus.PublisherAsync(proxy.pub_uri)
    subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
    asyncio.run(live(publisher, subscriber))

    async def exchange(event: Probe) -> Any:
        (task,) = await waiting(subscriber.get(DEADLINE_S))
        await publisher.publish(event)
        return await task

    for _ in range(3):
        event = Probe()
        assert asyncio.run(exchange(event)) == event
    publisher.close()
    subscriber.close()


def test_two_loops_at_once_share_a_subscriber(proxy: juicebus.Proxy) -> None:
    received: list[int] = []
    subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)

    async def take() -> None:
        async for event in subscriber:
            if isinstance(event, Numbered):
                received.append(event.number)
            if len(received) == 500:
                subscriber.close()

    with closing(juicebus.PublisherAsync(proxy.pub_uri)) as publisher:
        subscriber.subscribe(Numbered)
        asyncio.run(live(publisher, subscriber))
        threads = [threading.Thread(target=asyncio.run, args=(take(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        asyncio.run(publisher.publish_many([Numbered(number=n) for n in range(500)]))
        for thread in threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()
    assert sorted(received) == list(range(500))


def test_a_get_that_always_finds_an_event_lets_other_tasks_run(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with connected(proxy, Numbered) as (publisher, subscriber):
            await publisher.publish_many([Numbered(number=n) for n in range(20_000)])
            turns = 0

            async def other() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            task = asyncio.ensure_future(other())
            longest = 0.0
            before, turns_before = time.monotonic(), turns
            for _ in range(20_000):
                await subscriber.get(DEADLINE_S)
                if turns != turns_before:
                    longest = max(longest, time.monotonic() - before)
                    before, turns_before = time.monotonic(), turns
            task.cancel()
            assert turns > 20
            assert longest < 0.5

    asyncio.run(main())


async def waited(subscriber: juicebus.SubscriberAsync[Any]) -> int:
    """Let a get wait, and cancel it; return the descriptor that the loop has for it."""
    (task,) = await waiting(subscriber.get())
    assert subscriber._readable._fd is not None
    fd = subscriber._readable._fd.fd
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return fd


def has_reader(fd: int) -> bool:
    """Tell whether the running loop has a descriptor. Looks by taking it out."""
    return asyncio.get_running_loop().remove_reader(fd)


def test_a_get_finds_its_descriptor_in_the_loop_where_the_last_one_left_it(
    proxy: juicebus.Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with connected(proxy) as (publisher, subscriber):
            loop, added = asyncio.get_running_loop(), 0

            def add_reader(*arguments: Any) -> None:
                nonlocal added
                added += 1
                type(loop).add_reader(loop, *arguments)

            monkeypatch.setattr(loop, "add_reader", add_reader)
            for _ in range(20):
                (task,) = await waiting(subscriber.get())
                await publisher.publish(Probe())
                await asyncio.wait_for(task, DEADLINE_S)
            assert added == 1

    asyncio.run(main())


def test_a_loop_does_not_spin_over_an_event_that_nobody_waits_for(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with connected(proxy) as (publisher, subscriber):
            await waited(subscriber)
            event = Probe()
            await publisher.publish(event)
            while subscriber._readable._waits:
                await asyncio.sleep(0)
            assert await subscriber.get(DEADLINE_S) == event

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


def test_a_closed_subscriber_leaves_no_reader_in_the_loop(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with juicebus.SubscriberAsync[Any](proxy.sub_uri) as subscriber:
            fd = await waited(subscriber)
        assert has_reader(fd) is False
        with pytest.raises(OSError):
            os.fstat(fd)

    asyncio.run(main())


def test_one_that_another_thread_closes_leaves_none_either(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        fd = await waited(subscriber)
        await asyncio.to_thread(subscriber.close)
        while subscriber._readable._waits:
            await asyncio.sleep(0)
        assert has_reader(fd) is False

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


def test_one_that_is_dropped_leaves_none_either(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        await waited(subscriber)
        gone = weakref.ref(subscriber._readable)
        del subscriber
        while gone() is not None:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


def test_a_get_that_is_left_behind_in_a_closed_loop_ends_quietly(proxy: juicebus.Proxy) -> None:
    async def wait_a_moment() -> None:
        with pytest.raises(TimeoutError):
            await subscriber.get(0.01)

    with closing(juicebus.SubscriberAsync[Any](proxy.sub_uri)) as subscriber:
        loop, left_behind = asyncio.new_event_loop(), subscriber.get()
        loop.set_exception_handler(lambda *_: None)  # it tells of each task that it takes along
        loop.create_task(left_behind)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.run(wait_a_moment())
        left_behind.close()


def test_a_signal_handler_may_close_a_subscriber_that_begins_to_wait(
    proxy: juicebus.Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        loop = asyncio.get_running_loop()

        def add_reader(*arguments: Any) -> None:
            subscriber.close()
            type(loop).add_reader(loop, *arguments)

        monkeypatch.setattr(loop, "add_reader", add_reader)
        with pytest.raises(juicebus.ClosedError):
            await asyncio.wait_for(subscriber.get(), DEADLINE_S)

    asyncio.run(main())


def test_tasks_of_loops_that_stand_still_keep_no_event_from_others(proxy: juicebus.Proxy) -> None:
    publisher = juicebus.PublisherBlocking(proxy.pub_uri)
    subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
    subscriber.subscribe(Numbered)
    still = asyncio.new_event_loop()

    async def main() -> None:
        assert await subscriber.ready(DEADLINE_S)
        (first,) = await waiting(subscriber.get())
        await asyncio.to_thread(still.run_until_complete, waiting(*map(get, range(2))))
        (last,) = await waiting(subscriber.get())
        publisher.publish_many([Numbered(number=n) for n in range(2)])
        both = await asyncio.wait_for(asyncio.gather(first, last), DEADLINE_S)
        assert sorted(event.number for event in both) == [0, 1]

    async def get(_: int) -> None:
        with pytest.raises(juicebus.ClosedError):
            await subscriber.get()

    with closing(publisher):
        asyncio.run(main())
        subscriber.close()
        still.run_until_complete(asyncio.gather(*asyncio.all_tasks(still)))
        still.close()


@forks
def test_a_get_that_waits_ends_in_a_forked_child_whose_loop_goes_on(proxy: juicebus.Proxy) -> None:
    with closing(juicebus.SubscriberAsync[Any](proxy.sub_uri)) as subscriber:
        loop = asyncio.new_event_loop()
        (task,) = loop.run_until_complete(waiting(subscriber.get()))
        child = os.fork()
        if child == 0:
            try:
                loop.run_until_complete(asyncio.wait([task], timeout=DEADLINE_S))
                os._exit(isinstance(task.exception(), juicebus.ForkedError))
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()


@forks
def test_a_child_whose_loop_goes_on_takes_nothing_from_its_parents(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with connected(proxy) as (publisher, subscriber):
            fd = await waited(subscriber)
            await publisher.publish(Probe())
            select.select([fd], [], [], DEADLINE_S)
            child = os.fork()
            if child == 0:
                try:
                    for _ in range(5):
                        await asyncio.sleep(0)
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            await subscriber.get(DEADLINE_S)
            (task,) = await waiting(subscriber.get())
            event = Probe()
            await publisher.publish(event)
            assert await asyncio.wait_for(task, DEADLINE_S) == event

    asyncio.run(main())


def test_a_subscriber_outlives_its_loops(proxy: juicebus.Proxy) -> None:
    async def exchange() -> None:
        getting = asyncio.ensure_future(subscriber.get(DEADLINE_S))
        await publisher.publish(Probe())
        await getting

    publisher = juicebus.PublisherAsync(proxy.pub_uri)
    subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
    with closing(publisher), closing(subscriber):
        asyncio.run(live(publisher, subscriber))
        for _ in range(3):
            asyncio.run(exchange())
            assert len(subscriber._readable._waits) <= 1


def test_async_for_ends_when_another_task_closes(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)

        async def iterate() -> list[Any]:
            return [event async for event in subscriber]

        (task,) = await waiting(iterate())
        subscriber.close()
        assert await asyncio.wait_for(task, DEADLINE_S) == []

    asyncio.run(main())


def test_aclose_hands_over_what_was_published(proxy: juicebus.Proxy) -> None:
    async def main() -> None:
        async with juicebus.SubscriberAsync(proxy.sub_uri) as subscriber:
            subscriber.subscribe(Numbered)
            async with juicebus.PublisherAsync(proxy.pub_uri) as publisher:
                await live(publisher, subscriber)
                await publisher.publish_many([Numbered(number=n) for n in range(5000)])
            for number in range(5000):
                assert (await subscriber.get(DEADLINE_S)).number == number

    asyncio.run(main())


def test_publishing_without_a_pause_lets_other_tasks_run(proxy: juicebus.Proxy) -> None:
    async def main() -> int:
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with juicebus.PublisherAsync(proxy.pub_uri) as publisher:
            await publisher.wait_connected()
            other = asyncio.create_task(count_turns())
            for number in range(1000):
                await publisher.publish(Numbered(number=number))
            other.cancel()
        return turns

    assert asyncio.run(main()) >= 10
