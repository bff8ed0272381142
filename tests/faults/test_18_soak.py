# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Mixed load for an hour: nothing piles up, in a proxy or in services in Python and Go.

JUICEBUS_SOAK_S sets another duration, such as 60 for a trial.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from probing import DEADLINE_S
from procfs import descriptors, resident_bytes, threads
from proxy_process import ROOT, ProxyProcess

pytestmark = pytest.mark.fault(18)

DURATION_S = float(os.environ.get("JUICEBUS_SOAK_S", "3600"))
WARM_UP_S = DURATION_S / 12
# Of an hour, 10 minutes.
WINDOW_S = DURATION_S / 6
LOOK_EVERY_S = 1.0
FLAKY_UP_S = 1.0
MIB = 1 << 20
# How many processes crowd a processor, how often other threads are sent there, and how long
# that goes on in the test that does not last.
CROWD = 8
HOLD_UP_EVERY_S = 0.05
UNEVEN_S = 4.0
GROWTH_BYTES_MAX = 2 * MIB


class Watched:
    """What a process uses over time, in its first window after the warm-up and its last."""

    def __init__(self, process: ProxyProcess | subprocess.Popen[str]) -> None:
        self.pid = process.pid
        self._samples: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))

    def uses(self) -> dict[str, int]:
        """Return what it uses now."""
        return {
            "bytes": resident_bytes(self.pid),
            "descriptors": descriptors(self.pid),
            "threads": threads(self.pid),
        }

    def look(self, at_s: float) -> None:
        """Take a sample, so long after the start."""
        first = WARM_UP_S <= at_s < WARM_UP_S + WINDOW_S
        window = "first" if first else "last" if at_s >= DURATION_S - WINDOW_S else "between"
        for what, count in self.uses().items():
            self._samples[window][what].append(count)

    def growth(self) -> dict[str, int]:
        """Return by how much the last window is above the first.

        Of bytes the medians; of everything else the least, as those go up and down with
        what the load is doing at the moment, and what is left behind lifts them all.
        """
        growth = {}
        for what, first in self._samples["first"].items():
            typical = statistics.median if what == "bytes" else min
            growth[what] = round(typical(self._samples["last"][what]) - typical(first))
        return growth


class WatchedGo(Watched):
    """The service in Go: it says its goroutines for each sample, and does a round."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(process)
        self._process = process

    def uses(self) -> dict[str, int]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("round\n")
        self._process.stdin.flush()
        goroutines = int(self._process.stdout.readline())
        return {**super().uses(), "goroutines": goroutines}


def come_and_go(flaky: ProxyProcess, over: threading.Event) -> None:
    """Kill a proxy and start it again, over and over."""
    while not over.wait(FLAKY_UP_S):
        flaky.kill()
        flaky.start()


@contextmanager
def uneven(pid: int, seconds: float) -> Iterator[None]:
    """Hold up now these, now those threads of a proxy, for some seconds.

    The Go runtime needs most threads when some are held up while others go on, as on a
    processor that is crowded beside one that is not. So half of them, others each time, are
    sent to such a one.
    """
    every = os.sched_getaffinity(0)
    crowded = {min(every)}
    with ExitStack() as crowd:
        members = [
            crowd.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            for _ in range(CROWD)
        ]
        for member in members:
            os.sched_setaffinity(member.pid, crowded)
        over = threading.Event()

        def hold_up() -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end and not over.wait(HOLD_UP_EVERY_S):
                send_threads(pid, lambda: random.choice([crowded, every]))
            # Twice, as a thread starts where the one is that starts it.
            for _ in range(2):
                send_threads(pid, lambda: every)
            for member in members:
                member.kill()

        holding_up = threading.Thread(target=hold_up)
        holding_up.start()
        try:
            yield
        finally:
            over.set()
            holding_up.join()


def send_threads(pid: int, where: Callable[[], set[int]]) -> None:
    """Say for each thread of a process which processors it may use."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task), where())


@contextmanager
def python_service(*uris: str) -> Iterator[subprocess.Popen[str]]:
    """Run soak_load.py; it must have succeeded at the end."""
    program = Path(__file__).with_name("soak_load.py")
    with subprocess.Popen(
        [sys.executable, program, *uris], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as service:
        yield service
        service.communicate(timeout=DEADLINE_S)
        assert service.returncode == 0


@contextmanager
def go_service(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Build and run the service in Go."""
    program = folder / "goservice"
    subprocess.run(["go", "build", "-o", program, "./tests/faults/goservice"], cwd=ROOT, check=True)
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as service:
        yield service


def test_a_proxy_starts_with_all_threads_that_it_needs() -> None:
    # It needs more of them, and sooner, for many processors and much garbage collection.
    with (
        ProxyProcess.juicebus(environment={"GOMAXPROCS": "8", "GOGC": "1"}) as proxy,
        ProxyProcess.juicebus() as other,
    ):
        before = threads(proxy.pid)
        uris = (proxy.pub_uri, proxy.sub_uri, other.pub_uri, other.sub_uri)
        with python_service(*uris) as python, uneven(proxy.pid, UNEVEN_S):
            end = time.monotonic() + UNEVEN_S
            while time.monotonic() < end:
                assert python.poll() is None
                assert threads(proxy.pid) == before


@pytest.mark.soak
def test_an_hour_of_mixed_load_leaves_nothing_behind(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    over = threading.Event()
    with (
        ProxyProcess.juicebus() as proxy,
        ProxyProcess.juicebus() as flaky,
        go_service(tmp_path) as go,
        python_service(proxy.pub_uri, proxy.sub_uri, flaky.pub_uri, flaky.sub_uri) as python,
        uneven(proxy.pid, WARM_UP_S * 0.8),
    ):
        killing = threading.Thread(target=come_and_go, args=(flaky, over))
        killing.start()
        try:
            every = {"proxy": Watched(proxy), "Python": Watched(python), "Go": WatchedGo(go)}
            began = time.monotonic()
            while (at_s := time.monotonic() - began) < DURATION_S:
                assert python.poll() is None
                for watched in every.values():
                    watched.look(at_s)
                over.wait(LOOK_EVERY_S)
        finally:
            over.set()
            killing.join()
    growths = {name: watched.growth() for name, watched in every.items()}
    record_property("figure", f"{DURATION_S / 60:.0f} min, the last 6th to the first:")
    for name, growth in growths.items():
        counts = ", ".join(f"{what} {n:+}" for what, n in growth.items() if what != "bytes")
        record_property("figure", f"{name}: {growth['bytes'] / MIB:+.1f} MiB, {counts}")
    for growth in growths.values():
        assert growth.pop("bytes") <= GROWTH_BYTES_MAX
        assert max(growth.values()) <= 0
