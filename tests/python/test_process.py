# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Forks, exits, and objects that nobody closes. Each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import juicebus
from events import Numbered
from probing import DEADLINE_S

FORK = """
import asyncio, os, sys, juicebus
from events import Probe, Numbered
publisher, subscriber = (
    juicebus.{publisher}(sys.argv[1]), juicebus.{subscriber}(sys.argv[2])
)
subscriber.subscribe(Probe)
def run(result):
    return asyncio.run(result) if asyncio.iscoroutine(result) else result
async def anext_of(iterator):
    return await iterator.__anext__()
def next_notice(of):
    notices = of.notices()
    return next(notices) if hasattr(notices, "__next__") else anext_of(notices)
assert run(subscriber.ready())
while not subscriber.stats().pending_events:
    run(publisher.publish_many([Probe() for _ in range(50)]))
    run(subscriber.get(20))
child = os.fork()
if not child:
    refused = []
    for call in (
        lambda: subscriber.get(0), lambda: subscriber.get_many(1, 0),
        lambda: subscriber.subscribe(Numbered), subscriber.stats,
        lambda: publisher.publish(Probe()), lambda: publisher.send_frame([b"Probe.", b"{{}}"]),
        lambda: publisher.publish_many([Probe()]), publisher.stats, publisher.flush,
        subscriber.ready, lambda: publisher.connected, lambda: next_notice(subscriber),
        lambda: juicebus.PublisherBlocking(sys.argv[1]),
        lambda: juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0"),
    ):
        try:
            run(call())
        except juicebus.ForkedError as exc:
            refused.append("spawn" in str(exc) and "forkserver" in str(exc))
    subscriber.close()
    publisher.close()
    del subscriber, publisher
    os._exit(0 if refused == [True] * 14 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
run(subscriber.get_many(1))
print("parent works")
"""


# Newer Pythons warn of every fork of a process with threads.
WARNINGS = ("-W", "error::ResourceWarning", "-W", "ignore:This process:DeprecationWarning")


def output_of(program: str, *arguments: str) -> str:
    """Run a program in a process of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, *WARNINGS, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("twin", ["Blocking", "Async"])
def test_a_forked_child_is_refused_and_the_parent_goes_on(proxy: juicebus.Proxy, twin: str) -> None:
    program = FORK.format(publisher=f"Publisher{twin}", subscriber=f"Subscriber{twin}")
    assert output_of(program, proxy.pub_uri, proxy.sub_uri) == "parent works\n"


def test_a_child_that_was_forked_before_the_library_was_loaded_can_use_it(
    proxy: juicebus.Proxy,
) -> None:
    program = """
import os, sys, juicebus
from events import Probe
child = os.fork()
if not child:
    with juicebus.PublisherBlocking(sys.argv[1]) as publisher:
        publisher.publish(Probe())
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert output_of(program, proxy.pub_uri) == "0\n"


PROXY_IN_A_PARENT = """
import os, sys, juicebus
from events import Numbered
proxy = juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", hold=0)
def exchange(number):
    with juicebus.PublisherBlocking(proxy.pub_uri) as publisher:
        with juicebus.SubscriberBlocking(proxy.sub_uri) as subscriber:
            subscriber.subscribe(Numbered)
            assert subscriber.ready()
            publisher.publish(Numbered(number=number))
            assert subscriber.get(20).number == number
            # The child has copies of these connections, and keeps them.
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                os.close(writing)
                os.read(reading, 1)
                os._exit(0)
    return child, writing
children = [exchange(number) for number in range(20)]
for child, writing in children:
    os.close(writing)
for child, _ in reversed(children):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(proxy.stats().events)
proxy.close()
"""


def test_a_proxy_goes_on_whose_process_has_forked() -> None:
    assert output_of(PROXY_IN_A_PARENT) == "20\n"


ENDINGS = {
    "a temporary": "{publisher}.publish_many(events)",
    "a global that nobody closes": "publisher = {publisher}; publisher.publish_many(events)",
    "a cycle": """
publisher = {publisher}
publisher.me = publisher
publisher.publish_many(events)
del publisher""",
    "sys.exit": """
publisher = {publisher}
publisher.publish_many(events)
sys.exit()""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_that_closes_nothing_loses_no_event(proxy: juicebus.Proxy, ending: str) -> None:
    program = "import sys, juicebus\nfrom events import Numbered\n"
    program += "events = [Numbered(number=n) for n in range(2000)]\n"
    program += ENDINGS[ending].format(publisher="juicebus.PublisherBlocking(sys.argv[1])")
    with juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber:
        subscriber.subscribe(Numbered)
        assert subscriber.ready()
        output_of(program, proxy.pub_uri)
        numbers = received_numbers(subscriber, 2000)
    assert numbers == list(range(2000))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_of_multiprocessing_that_closes_nothing_loses_no_event(
    proxy: juicebus.Proxy, method: str, tmp_path: Any
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        f"""
import multiprocessing, sys, juicebus
from events import Numbered
def child(uri):
    global publisher
    publisher = juicebus.PublisherBlocking(uri)
    publisher.publish_many([Numbered(number=n) for n in range(2000)])
if __name__ == "__main__":
    process = multiprocessing.get_context("{method}").Process(target=child, args=(sys.argv[1],))
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""
    )
    with juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber:
        subscriber.subscribe(Numbered)
        assert subscriber.ready()
        command = [sys.executable, str(script), proxy.pub_uri]
        subprocess.run(command, check=True, timeout=DEADLINE_S)
        numbers = received_numbers(subscriber, 2000)
    assert numbers == list(range(2000))


def received_numbers(subscriber: Any, count: int) -> list[int]:
    """Return the numbers of the next events."""
    numbers: list[int] = []
    while len(numbers) < count:
        numbers += [event.number for event in subscriber.get_many(count, DEADLINE_S)]
    return numbers


def test_objects_that_nobody_closes_end_without_a_warning(proxy: juicebus.Proxy) -> None:
    program = """
import sys, juicebus
from events import Probe
proxy = juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
subscriber = juicebus.SubscriberBlocking(sys.argv[1])
subscriber.subscribe(Probe)
subscriber.fileno()
"""
    assert output_of(program, proxy.sub_uri) == ""
