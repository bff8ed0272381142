# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Ctrl-C in waiting calls, and the ends of processes that close nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import juicebus
from events import Numbered
from exiting import NOWHERE, QUEUED_EVENTS
from probing import DEADLINE_S
from proxy_process import ProxyProcess
from sides import taken

pytestmark = pytest.mark.fault(16)

HERE = Path(__file__).parent
WAYS = ("return", "sys.exit", "SIGTERM", "handled SIGTERM", "asyncio")
# From the start of a program to its line: importing Juice, on a busy machine.
START_TIMEOUT_S = 60
INTERRUPTED_WITHIN_S = 0.2
# The second in which queued events are handed over, the interpreter's own end, and what a
# busy machine adds: what hangs, hangs for longer.
ENDED_WITHIN_S = 3.0


def program(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / name), *arguments]


def interrupted(side: str, proxy: ProxyProcess) -> dict[str, float | None]:
    """Return what interrupting.py prints: the seconds of each call."""
    done = subprocess.run(
        program("interrupting.py", side, proxy.sub_uri),
        stdout=subprocess.PIPE,
        check=True,
        timeout=START_TIMEOUT_S,
    )
    seconds: dict[str, float | None] = json.loads(done.stdout)
    return seconds


def test_ctrl_c_ends_every_waiting_call_at_once(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    seconds = interrupted("juicebus", proxy)
    late = {name: s for name, s in seconds.items() if s is None or s > INTERRUPTED_WITHIN_S}
    assert late == {}
    slowest = max(s for s in seconds.values() if s is not None)
    record_property("figure", f"Ctrl-C in {len(seconds)} waiting calls: within {slowest:.3f} s")


class Ending:
    """A program with everything open; end() ends it and notes how that went."""

    def __init__(self, side: str, way: str, proxy: ProxyProcess) -> None:
        self.way = way
        self._process = subprocess.Popen(
            program("exiting.py", side, way, proxy.pub_uri, proxy.sub_uri),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self) -> None:
        """Let it end; afterwards its exit code, seconds and stderr are there."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        began = time.monotonic()
        if self.way.endswith("SIGTERM"):
            self._process.terminate()
        _, self.said = self._process.communicate("go\n", timeout=DEADLINE_S)
        assert line == "open\n", self.said
        self.seconds = time.monotonic() - began
        self.code = self._process.returncode


def given_up(said: str) -> int:
    """Return how many events a process says that it gave up."""
    found = re.search(r"(\d+) events?\b.* lost", said)
    assert found, said
    return int(found[1])


def endings(side: str, ways: Sequence[str], proxy: ProxyProcess) -> list[Ending]:
    """Start a program for each way, all at once, and end them one after the other."""
    every = [Ending(side, way, proxy) for way in ways]
    for ending in every:
        ending.end()
    return every


def test_a_process_with_everything_open_ends_soon_and_without_a_traceback(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    for ending in endings("juicebus", WAYS, proxy):
        assert ending.code == (-15 if ending.way == "SIGTERM" else 0), ending.said
        assert "Traceback" not in ending.said
        assert ending.seconds <= ENDED_WITHIN_S, ending.way
        if ending.way not in ("SIGTERM", "asyncio"):
            assert given_up(ending.said) >= QUEUED_EVENTS
        record_property("figure", f"exit by {ending.way}, all open: {ending.seconds:.2f} s")


def numbers_published_once(side: str, through: ProxyProcess, count: int) -> tuple[list[int], float]:
    """Let processes publish a number each and end; return what arrived and the slowest end."""
    with (
        juicebus.PublisherBlocking(through.pub_uri) as publisher,
        juicebus.SubscriberBlocking[Any](through.sub_uri) as subscriber,
    ):
        subscriber.subscribe(Numbered)
        assert subscriber.ready(DEADLINE_S)
        done = subprocess.run(
            program("publishing_once.py", side, through.pub_uri, str(count)),
            stdout=subprocess.PIPE,
            check=True,
            timeout=START_TIMEOUT_S,
        )
        publisher.publish(Numbered(number=-1))
        numbers: list[int] = []
        while -1 not in numbers:
            numbers += [event.number for event in taken(subscriber, DEADLINE_S)]
        return numbers[:-1], float(done.stdout)


def test_processes_that_publish_once_and_exit_lose_nothing(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    count = 20
    numbers, slowest = numbers_published_once("juicebus", proxy, count)
    assert numbers == list(range(count))
    assert slowest <= ENDED_WITHIN_S
    record_property(
        "figure", f"publish once and exit: {count} of {count} arrive, exit within {slowest:.2f} s"
    )


def test_a_process_that_publishes_once_without_a_proxy_says_what_it_gives_up(
    record_property: Callable[[str, object], None],
) -> None:
    done = subprocess.run(
        program("publishing_once.py", "juicebus", NOWHERE, "1"),
        capture_output=True,
        text=True,
        check=True,
        timeout=START_TIMEOUT_S,
    )
    assert given_up(done.stderr) == 1
    assert NOWHERE in done.stderr
    assert float(done.stdout) <= ENDED_WITHIN_S
    record_property("figure", f"without a proxy: says that 1 is lost, exits in {done.stdout:.4} s")


def test_ctrl_c_and_exit_in_juice(
    proxy: ProxyProcess, record_property: Callable[[str, object], None]
) -> None:
    alone = subprocess.Popen(
        program("publishing_once.py", "juice", NOWHERE, "1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    seconds = interrupted("juice", proxy)
    slowest = max(s for s in seconds.values() if s is not None)
    record_property("juice", f"Ctrl-C in {len(seconds)} waiting calls: within {slowest:.3f} s")
    for ending in endings("juice", ("return", "asyncio"), proxy):
        record_property("juice", f"exit by {ending.way}, all open: {ending.seconds:.2f} s")
    count = 5
    numbers, _ = numbers_published_once("juice", proxy, count)
    record_property("juice", f"publish once and exit: {len(numbers)} of {count} arrive")
    _, said = alone.communicate(timeout=START_TIMEOUT_S)
    record_property("juice", f"without a proxy: the event is gone, says {said or 'nothing'}")
