# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Close while many wait in a get: each is told at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import juicebus
from events import Probe
from probing import DEADLINE_S
from proxy_process import ProxyProcess

pytestmark = pytest.mark.fault(11)

ROUNDS = 10
WAITING = 100
TOLD_WITHIN_S = 0.1


class Waiting:
    """Threads that each wait in one get; notes when each ends, and with what."""

    def __init__(self, subscribers: list[juicebus.SubscriberBlocking[Any]]) -> None:
        self.told_at: list[float] = []
        self.wrong: list[object] = []
        self._start = threading.Barrier(WAITING + 1)
        self._threads = [
            threading.Thread(target=self._wait, args=[subscribers[n % len(subscribers)]])
            for n in range(WAITING)
        ]
        for thread in self._threads:
            thread.start()
        self._start.wait(DEADLINE_S)

    def _wait(self, subscriber: juicebus.SubscriberBlocking[Any]) -> None:
        self._start.wait(DEADLINE_S)
        try:
            self.wrong.append(subscriber.get(DEADLINE_S))
        except juicebus.ClosedError:
            self.told_at.append(time.monotonic())
        except Exception as error:
            self.wrong.append(error)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


def slowest_of_a_round(proxy: ProxyProcess, handles: int) -> float:
    """Close `handles` subscribers under 100 threads; return how long the last one waited."""
    subscribers = [juicebus.SubscriberBlocking[Any](proxy.sub_uri) for _ in range(handles)]
    for subscriber in subscribers:
        subscriber.subscribe(Probe)
    waiting = Waiting(subscribers)
    closed_at = time.monotonic()
    for subscriber in subscribers:
        subscriber.close()
    waiting.join()
    assert waiting.wrong == []
    assert len(waiting.told_at) == WAITING
    return max(waiting.told_at) - closed_at


@pytest.mark.parametrize("handles", [1, WAITING])
def test_close_ends_the_get_of_every_thread_at_once(
    proxy: ProxyProcess, handles: int, record_property: Callable[[str, object], None]
) -> None:
    slowest = max(slowest_of_a_round(proxy, handles) for _ in range(ROUNDS))
    assert slowest <= TOLD_WITHIN_S
    record_property(
        "figure",
        f"{WAITING} threads on {handles} subscribers, {ROUNDS} rounds: slowest {slowest:.3f} s",
    )


def test_close_ends_the_get_of_every_task_at_once(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    async def slowest_of_a_round() -> float:
        subscriber = juicebus.SubscriberAsync[Any](proxy.sub_uri)
        subscriber.subscribe(Probe)
        tasks = [asyncio.ensure_future(subscriber.get()) for _ in range(WAITING)]
        await asyncio.sleep(0)
        closed_at = time.monotonic()
        subscriber.close()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ends] == [juicebus.ClosedError] * WAITING
        return time.monotonic() - closed_at

    slowest = max(asyncio.run(slowest_of_a_round()) for _ in range(ROUNDS))
    assert slowest <= TOLD_WITHIN_S
    record_property("figure", f"{WAITING} tasks, {ROUNDS} rounds: slowest {slowest:.3f} s")
