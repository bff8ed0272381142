# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What a close could not hand over is told of: once, how many events, and to whom.

Each in a process of its own: what is told at its end, is told of all of its publishers.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

import juicebus
from probing import DEADLINE_S, until

NOBODY = "tcp://127.0.0.1:1"

OPENINGS = {
    "blocking": """
publisher = juicebus.PublisherBlocking(URI)
publisher.publish_many([Probe()] * 3)
""",
    "aio": """
publisher = juicebus.PublisherAsync(URI)
asyncio.run(publisher.publish_many([Probe()] * 3))
""",
}
CLOSES = {
    "blocking": "publisher.close({timeout})",
    "aio": "asyncio.run(publisher.aclose({timeout}))",
}
ENDINGS = {
    "is never closed": "",
    "is dropped": "del publisher",
    "is closed without waiting": "publisher.close(0)",
}


def told_by(program: str, uri: str = NOBODY) -> str:
    """Run a program that ends well, and return what it logs to its standard error."""
    begin = "import asyncio, juicebus, threading\nfrom events import Probe\n"
    begin += f"URI = {uri!r}\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", begin + program],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def lost(events: int) -> str:
    """Return the one line that tells of lost events."""
    return f"closed before all was sent: at most {events} events to {NOBODY} are lost\n"


@pytest.mark.parametrize("kind", OPENINGS)
@pytest.mark.parametrize("timeout", ["", "1.5"])
def test_a_close_that_gives_up_tells_how_many_events_and_the_end_not_again(
    kind: str, timeout: str
) -> None:
    assert told_by(OPENINGS[kind] + CLOSES[kind].format(timeout=timeout)) == lost(3)


@pytest.mark.parametrize("kind", OPENINGS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_end_of_a_process_tells_of_a_publisher_that(kind: str, ending: str) -> None:
    assert told_by(OPENINGS[kind] + ENDINGS[ending]) == lost(3)


def test_the_end_of_a_process_tells_of_all_publishers_in_one_line() -> None:
    assert told_by(OPENINGS["blocking"] + "first = publisher" + OPENINGS["aio"]) == lost(6)


@pytest.mark.parametrize("kind", OPENINGS)
@pytest.mark.parametrize("ending", [*ENDINGS.values(), None])
def test_nothing_is_told_when_all_was_handed_over(
    kind: str, ending: str | None, proxy: juicebus.Proxy
) -> None:
    close = CLOSES[kind].format(timeout="") if ending is None else ending
    assert told_by(OPENINGS[kind] + close, proxy.pub_uri) == ""
    until(lambda: proxy.stats().events == 3, lambda: None)


def test_a_process_with_all_open_and_threads_and_tasks_waiting_ends_without_a_word() -> None:
    program = """
subscriber, publisher = juicebus.SubscriberBlocking(URI), juicebus.PublisherBlocking(URI)
for call in (
    subscriber.get, lambda: next(subscriber.notices()), lambda: next(publisher.notices(), None),
    lambda: publisher.flush(None), lambda: publisher.wait_connected(None),
):
    threading.Thread(target=call, daemon=True).start()
async def main():
    asynchronous = juicebus.SubscriberAsync(URI)
    tasks = [asyncio.ensure_future(each) for each in (
        asynchronous.get(), asynchronous.ready(None), asynchronous.notices().__anext__(),
    )]
    for _ in range(5):
        await asyncio.sleep(0)
asyncio.run(main())
"""
    assert told_by(program) == ""


@pytest.mark.parametrize("call", ["publish(Probe())", "publish_many([Probe()])", "stats()"])
def test_a_thread_that_uses_a_publisher_until_the_end_prints_no_traceback(call: str) -> None:
    program = f"""
publisher = juicebus.PublisherBlocking(URI, max_events=1, overflow="drop_newest")
publisher.publish(Probe())
begun = threading.Event()
def use():
    while True:
        publisher.{call}
        begun.set()
threading.Thread(target=use, daemon=True).start()
begun.wait()
"""
    assert told_by(program) == lost(1)


def test_what_temporary_publishers_give_up_is_told_when_another_one_ends() -> None:
    program = """
import logging, time
told = []
logging.getLogger("juicebus").addFilter(lambda record: told.append(record) is None)
juicebus.PublisherBlocking(URI).publish_many([Probe()] * 3)
end = time.monotonic() + 20
while not told:
    assert time.monotonic() < end
    juicebus.PublisherBlocking(URI)
"""
    assert told_by(program) == lost(3)


def test_ctrl_c_ends_a_close_that_waits() -> None:
    told = told_by(
        """
import os, signal, time
publisher = juicebus.PublisherBlocking(URI)
publisher.publish_many([Probe()] * 3)
threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
begin = time.monotonic()
try:
    publisher.close(30)
except KeyboardInterrupt:
    pass
assert time.monotonic() - begin < 5
"""
    )
    assert told == lost(3)


def test_aclose_waits_for_longer_than_the_library_alone() -> None:
    told = told_by(
        """
import time
async def main():
    publisher = juicebus.PublisherAsync(URI)
    await publisher.publish_many([Probe()] * 3)
    begin = time.monotonic()
    await publisher.aclose(2.5)
    assert time.monotonic() - begin > 2.2
asyncio.run(main())
"""
    )
    assert told == lost(3)
