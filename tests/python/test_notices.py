# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""notices() tells what happens to a connection, and the log that events are dropped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import juicebus
from events import Numbered
from juicebus import NoticeKind
from probing import DEADLINE_S, until
from tasks import waiting
from twins import Twin


def next_of(twin: Twin, notices: Any) -> juicebus.Notice:
    """Return the next notice."""

    async def awaited(each: AsyncIterator[juicebus.Notice]) -> juicebus.Notice:
        return await asyncio.wait_for(each.__anext__(), DEADLINE_S)

    notice: juicebus.Notice = twin.run(awaited(notices)) if twin.kind == "aio" else next(notices)
    return notice


def all_of(twin: Twin, notices: Any) -> list[juicebus.Notice]:
    """Return the notices up to the end."""

    async def awaited(each: AsyncIterator[juicebus.Notice]) -> list[juicebus.Notice]:
        return [notice async for notice in each]

    return twin.run(awaited(notices)) if twin.kind == "aio" else list(notices)


@pytest.mark.parametrize("which", ["publisher", "subscriber"])
def test_they_tell_of_the_connection_and_of_its_end(twin: Twin, which: str) -> None:
    begin = datetime.now(timezone.utc) - timedelta(seconds=1)
    opened = getattr(twin, which)()
    notices = opened.notices()
    first = next_of(twin, notices)
    twin.proxy.close()
    second = next_of(twin, notices)
    assert [first.kind, second.kind] == [NoticeKind.CONNECTED, NoticeKind.DISCONNECTED]
    uri = twin.proxy.pub_uri if which == "publisher" else twin.proxy.sub_uri
    assert all(uri in notice.text for notice in (first, second))
    assert begin < first.time <= second.time <= datetime.now(timezone.utc)


def test_they_tell_of_a_queue_that_drops(twin: Twin) -> None:
    options = {"max_events": 1, "overflow": "drop_oldest"}
    publisher = twin.publisher_class("tcp://127.0.0.1:1", **options)
    twin.run(publisher.publish_many([Numbered(number=n) for n in range(5)]))
    assert next_of(twin, publisher.notices()).kind is NoticeKind.SLOW
    publisher.close(0)


@pytest.mark.parametrize("which", ["publisher", "subscriber"])
def test_they_end_at_close(twin: Twin, which: str) -> None:
    opened = getattr(twin, which)()
    notices = opened.notices()
    next_of(twin, notices)
    opened.close()
    assert all_of(twin, notices) == []
    assert all_of(twin, opened.notices()) == []


def test_those_that_nobody_asked_for_are_kept(twin: Twin) -> None:
    publisher = twin.publisher()
    twin.run(publisher.wait_connected())
    assert next_of(twin, publisher.notices()).kind is NoticeKind.CONNECTED


def test_close_ends_a_thread_that_waits_for_one(proxy: juicebus.Proxy) -> None:
    publisher = juicebus.PublisherBlocking(proxy.pub_uri)
    notices = publisher.notices()
    told: list[juicebus.Notice] = []
    thread = threading.Thread(target=lambda: told.extend(notices))
    thread.start()
    until(lambda: bool(told), lambda: None)
    publisher.close()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_a_task_that_waits_for_one_can_be_ended(proxy: juicebus.Proxy, end: str) -> None:
    async def main() -> None:
        publisher = juicebus.PublisherAsync(proxy.pub_uri)
        notices = publisher.notices()
        await notices.__anext__()

        async def rest() -> list[juicebus.Notice]:
            return [notice async for notice in notices]

        (task,) = await waiting(rest())
        fd = notices._readable._fd
        if end == "close":
            publisher.close()
            assert await asyncio.wait_for(task, DEADLINE_S) == []
        else:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert fd is not None
        assert asyncio.get_running_loop().remove_reader(fd.fd) is False
        publisher.close()

    asyncio.run(main())


def test_each_time_that_a_subscriber_drops_events_one_warning_tells_of_it(
    twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    uri = twin.proxy.sub_uri
    publisher, subscriber = twin.publisher(), twin.subscriber_class(uri, max_events=50)
    subscriber.subscribe(Numbered)
    assert twin.run(subscriber.ready())

    def come() -> int:
        stats = subscriber.stats()
        return stats.events + stats.dropped + stats.pending_events

    for time in (1, 2):
        twin.run(publisher.publish_many([Numbered(number=n) for n in range(2000)]))
        # Nobody takes anything until all have come: they are dropped in one go.
        until(lambda: come() == time * 2000, lambda: None)  # noqa: B023
        while subscriber.stats().pending_events:
            twin.run(subscriber.get(0))
        warnings = [record for record in caplog.records if record.name == "juicebus"]
        assert len(warnings) == time
        assert warnings[-1].levelname == "WARNING"
        dropped = subscriber.stats().dropped
        assert warnings[-1].getMessage() == (
            f"this subscriber of {uri} did not keep up: {dropped} events dropped so far"
        )
    assert subscriber.stats().lost == dropped
    subscriber.close()
