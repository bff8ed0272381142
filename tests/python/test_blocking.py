# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What the blocking twins promise beyond what both do: signals and threads."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import juicebus
from events import Numbered, Probe
from probing import DEADLINE_S, until

NOBODY = "tcp://127.0.0.1:1"

INTERRUPTED = """
import os, signal, threading, time, juicebus
class Probe(juicebus.Event):
    pass
subscriber = juicebus.SubscriberBlocking("tcp://127.0.0.1:1")
publisher = juicebus.PublisherBlocking("tcp://127.0.0.1:1", max_events=1)
interrupted_at = 0
def interrupt():
    global interrupted_at
    interrupted_at = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(0.3, interrupt).start()
try:
    {call}
except KeyboardInterrupt:
    print(time.monotonic() - interrupted_at)
publisher.close(0)
"""


@pytest.mark.parametrize(
    "call",
    [
        "subscriber.get()",
        "subscriber.get_many(5, 60)",
        "publisher.publish_many([Probe(), Probe()], timeout=None)",
        "publisher.wait_connected(60)",
        "publisher.flush(60)",
        "subscriber.ready(60)",
        "next(subscriber)",
        "next(subscriber.notices())",
        "next(publisher.notices())",
    ],
)
def test_ctrl_c_ends_a_wait(call: str) -> None:
    program = INTERRUPTED.format(call=call)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE_S
    )
    # 0.2 s for the slice and what follows, the rest for a machine that is busy.
    assert float(done.stdout) < 1, done.stderr


def test_a_signal_handler_may_close_what_it_interrupts() -> None:
    program = """
import signal, juicebus
subscriber = juicebus.SubscriberBlocking("tcp://127.0.0.1:1")
signal.signal(signal.SIGALRM, lambda *_: subscriber.close())
for _ in range(300):
    subscriber = juicebus.SubscriberBlocking("tcp://127.0.0.1:1")
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    try:
        while True:
            subscriber.stats()
            try:
                subscriber.get(0)
            except TimeoutError:
                continue
    except juicebus.ClosedError:
        continue
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


# The system calls by which a get waits, poll, and what waits inside the library, ppoll.
POLLS = {"x86_64": ("7", "271"), "aarch64": ("73",)}[platform.machine()]


def in_poll(thread: threading.Thread) -> bool:
    """Tell whether a thread is in one of them."""
    try:
        return Path(f"/proc/self/task/{thread.native_id}/syscall").read_text().split()[0] in POLLS
    except OSError:  # the thread has ended
        return False


def until_waiting(count: int) -> None:
    """Return when so many threads of Python's wait."""
    until(
        lambda: sum(map(in_poll, threading.enumerate())) >= count,
        lambda: time.sleep(0),
    )


def in_thread(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Start a thread that notes what a call returns or raises."""
    outcome: list[Any] = []

    def body() -> None:
        try:
            outcome.append(call())
        except Exception as exc:
            outcome.append(exc)

    thread = threading.Thread(target=body)
    thread.start()
    return thread, outcome


@pytest.mark.parametrize("timeout", [None, 60])
def test_close_ends_every_get_that_waits(proxy: juicebus.Proxy, timeout: float | None) -> None:
    subscriber = juicebus.SubscriberBlocking[Any](proxy.sub_uri)
    waiting = [in_thread(lambda: subscriber.get(timeout)) for _ in range(3)]
    until_waiting(3)
    subscriber.close()
    for thread, outcome in waiting:
        thread.join(DEADLINE_S)
        assert isinstance(outcome[0], juicebus.ClosedError)


def test_close_ends_a_publish_that_waits() -> None:
    publisher = juicebus.PublisherBlocking(NOBODY, max_events=1)
    publisher.publish(Probe())
    thread, outcome = in_thread(lambda: publisher.publish(Probe(), timeout=None))
    until_waiting(1)
    publisher.close(0)
    thread.join(DEADLINE_S)
    assert isinstance(outcome[0], juicebus.ClosedError)


def test_each_event_goes_to_one_of_the_threads_that_wait(proxy: juicebus.Proxy) -> None:
    with (
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
    ):
        subscriber.subscribe(Numbered)
        assert subscriber.ready()
        waiting = [in_thread(lambda: subscriber.get(DEADLINE_S)) for _ in range(8)]
        publisher.publish_many([Numbered(number=n) for n in range(8)])
        received = []
        for thread, outcome in waiting:
            thread.join(DEADLINE_S)
            received += outcome
        assert sorted(event.number for event in received) == list(range(8))


def test_what_one_thread_takes_ahead_the_others_get_soon(proxy: juicebus.Proxy) -> None:
    count = 16
    with (
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
    ):
        subscriber.subscribe(Numbered)
        assert subscriber.ready()
        for _ in range(20):
            # Each takes one, as if it had long to do with it.
            waiting = [in_thread(lambda: subscriber.get(DEADLINE_S)) for _ in range(count)]
            until_waiting(count)
            publisher.publish_many([Numbered(number=n) for n in range(count)])
            began = time.monotonic()
            for thread, _ in waiting:
                thread.join(DEADLINE_S)
            assert time.monotonic() - began < 0.4


def test_a_get_of_many_threads_hoards_no_events(proxy: juicebus.Proxy) -> None:
    with (
        juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber,
        juicebus.PublisherBlocking(proxy.pub_uri) as publisher,
    ):
        subscriber.subscribe(Numbered)
        assert subscriber.ready()
        thread, outcome = in_thread(lambda: subscriber.get(DEADLINE_S))
        until_waiting(1)
        # The thread is alone in the library; this one, the second, takes one event only.
        publisher.publish_many([Numbered(number=n) for n in range(50)])
        subscriber.get(DEADLINE_S)
        thread.join(DEADLINE_S)
        assert len(outcome) == 1


def test_for_ends_when_another_thread_closes(proxy: juicebus.Proxy) -> None:
    subscriber = juicebus.SubscriberBlocking[Any](proxy.sub_uri)
    thread, outcome = in_thread(lambda: list(subscriber))
    until_waiting(1)
    subscriber.close()
    thread.join(DEADLINE_S)
    assert outcome == [[]]


def test_close_hands_over_what_was_published(proxy: juicebus.Proxy) -> None:
    with juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber:
        subscriber.subscribe(Numbered)
        assert subscriber.ready()
        with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
            publisher.publish_many([Numbered(number=n) for n in range(5000)])
        numbers: list[int] = []
        while len(numbers) < 5000:
            numbers += [event.number for event in subscriber.get_many(5000, DEADLINE_S)]
        assert numbers == list(range(5000))


def test_a_close_that_hands_over_nothing_does_not_wait() -> None:
    publisher = juicebus.PublisherBlocking(NOBODY)
    begin = time.monotonic()
    publisher.close(30)
    assert time.monotonic() - begin < 5
