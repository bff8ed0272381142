# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Forks of a process with live handles (forking.py), and children that start afresh."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import juicebus
from events import Numbered
from probing import DEADLINE_S
from proxy_process import ProxyProcess
from sides import side_named

pytestmark = pytest.mark.fault(15)

WAYS = ("os.fork", "multiprocessing", "asyncio")
# Newer Pythons warn of every fork of a process with threads.
PYTHON = (sys.executable, "-W", "ignore:This process:DeprecationWarning")
AT_ONCE_S = 0.1


def outcomes(side: str, proxy: ProxyProcess) -> dict[str, dict[str, Any]]:
    """Fork in each way, all at the same time; return what forking.py prints of each."""
    program = str(Path(__file__).with_name("forking.py"))
    running = {
        way: subprocess.Popen(
            [*PYTHON, program, side, way, proxy.pub_uri, proxy.sub_uri],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for way in WAYS
    }
    ended = {way: process.communicate(timeout=60) for way, process in running.items()}
    if side == "juicebus":
        assert [errors for _, errors in ended.values()] == [""] * len(WAYS)
    return {way: json.loads(printed) for way, (printed, _) in ended.items()}


def test_a_forked_child_is_told_at_once_and_ends_and_the_parent_goes_on(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    slowest = 0.0
    for outcome in outcomes("juicebus", proxy).values():
        assert {call["call"]: call["end"] for call in outcome["calls"]} == dict.fromkeys(
            ["publish", "publish_many", "flush", "subscribe", "ready", "get_many", "get"],
            "ForkedError",
        )
        assert outcome["child"] == "exit 0"
        assert outcome["parent"]
        slowest = max(slowest, *(call["seconds"] for call in outcome["calls"]))
    assert slowest <= AT_ONCE_S
    record_property("figure", f"{', '.join(WAYS)}: ForkedError within {slowest:.3f} s, exit 0")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_that_starts_afresh_publishes(
    proxy: ProxyProcess,
    method: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(f"""
import multiprocessing, sys, juicebus
from events import Numbered
def child(uri):
    with juicebus.PublisherBlocking(uri) as publisher:
        publisher.publish(Numbered(number=5))
if __name__ == "__main__":
    with juicebus.PublisherBlocking(sys.argv[1]) as publisher:
        publisher.publish(Numbered(number=4))
        process = multiprocessing.get_context("{method}").Process(target=child, args=sys.argv[1:])
        process.start()
        process.join()
    sys.exit(process.exitcode)
""")
    with juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber:
        subscriber.subscribe(Numbered)
        assert subscriber.ready(DEADLINE_S)
        subprocess.run([sys.executable, script, proxy.pub_uri], check=True, timeout=DEADLINE_S)
        assert [subscriber.get(DEADLINE_S).number for _ in range(2)] == [4, 5]
    record_property("figure", f"{method}: the child publishes")


REPLACED = """
import os, sys, warnings
import juicebus.juice
juicebus.juice.install()
from orangeqs.juice.messaging import zmq
from events import Numbered
publisher = zmq.ZMQPublisherBlocking(sys.argv[1])
publisher.publish(Numbered(number=6))
publisher.close()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    child = os.fork()
    if child == 0:
        assert sum("forked child" in str(each.message) for each in caught) == 1
        publisher = zmq.ZMQPublisherBlocking(sys.argv[1])
        assert not isinstance(publisher, juicebus.PublisherBlocking)
        publisher.publish(Numbered(number=7))
        publisher._publisher.linger = 1000  # Juice's own would drop it at the exit.
        publisher.close()
        sys.exit()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_a_forked_child_of_a_moved_service_publishes_with_juices_classes(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    with juicebus.SubscriberBlocking[Any](proxy.sub_uri) as subscriber:
        subscriber.subscribe(Numbered)
        assert subscriber.ready(DEADLINE_S)
        subprocess.run([*PYTHON, "-c", REPLACED, proxy.pub_uri], check=True, timeout=DEADLINE_S)
        assert [subscriber.get(DEADLINE_S).number for _ in range(2)] == [6, 7]
    record_property("figure", "after install(): the child publishes with Juice's classes")


def test_a_forked_child_of_juice(record_property: Callable[[str, object], None]) -> None:
    with side_named("juice").proxy() as proxy:
        came = outcomes("juice", proxy)
    for way, outcome in came.items():
        ends = [f"{call['call']} {call['end']}" for call in outcome["calls"]]
        record_property("juice", f"{way}: child {outcome['child']}; {', '.join(ends)}")
