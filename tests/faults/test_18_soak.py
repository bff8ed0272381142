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
from collections.abc import Callable, Iterator, Sequence
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
# A rest: handles that were closed are gone, and housekeeping looks once a second.
REST_S = 3.0
LOOKS_AT_REST = 30
FLAKY_UP_S = 1.0
MIB = 1 << 20
# How many processes crowd a processor, how often other threads are sent there, and how long
# that goes on in the test that does not last.
CROWD = 8
HOLD_UP_EVERY_S = 0.05
UNEVEN_S = 4.0
GROWTH_BYTES_MAX = 2 * MIB


class Watched:
    """What a process uses: memory under load, by windows, and all else when it rests.

    Descriptors and goroutines go up and down with what the load is doing, and with how
    fast the machine is; what is left behind shows when nothing is going on.
    """

    def __init__(self, process: ProxyProcess | subprocess.Popen[str]) -> None:
        self._pid = process.pid
        self._bytes: dict[str, list[int]] = defaultdict(list)
        self._at_rest: list[dict[str, float]] = []

    def look(self, at_s: float) -> None:
        """Take a sample under load, so long after the start."""
        first = WARM_UP_S <= at_s < WARM_UP_S + WINDOW_S
        window = "first" if first else "last" if at_s >= DURATION_S - WINDOW_S else "between"
        self._bytes[window].append(resident_bytes(self._pid))

    def counts(self) -> dict[str, int]:
        """Return what it has now, and would not give back by itself."""
        return {"descriptors": descriptors(self._pid), "threads": threads(self._pid)}

    def look_at_rest(self, samples: Sequence[dict[str, int]]) -> None:
        """Keep what it has when it rests: the median of some looks."""
        self._at_rest.append(
            {what: statistics.median(each[what] for each in samples) for what in samples[0]}
        )

    def grown_bytes(self) -> float:
        """Return by how much the last window is above the first, by the medians."""
        return statistics.median(self._bytes["last"]) - statistics.median(self._bytes["first"])

    def left_behind(self) -> dict[str, float]:
        """Return by how much the last rest is above the first."""
        first, *_, last = self._at_rest
        return {what: last[what] - count for what, count in first.items()}


class WatchedGo(Watched):
    """The service in Go: it does a round for each sample, and says its goroutines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(process)
        self._process = process

    def look(self, at_s: float) -> None:
        """Take a sample, and let it do a round."""
        told(self._process, "round")
        super().look(at_s)

    def counts(self) -> dict[str, int]:
        """Return them, with its goroutines."""
        return {**super().counts(), "goroutines": int(told(self._process, "goroutines"))}


def told(process: subprocess.Popen[str], line: str) -> str:
    """Write a line to a process, and return the one that it answers with."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline()


def come_and_go(flaky: ProxyProcess, stays: threading.Lock, over: threading.Event) -> None:
    """Kill a proxy and start it again, over and over; not while somebody has it stay."""
    while not over.wait(FLAKY_UP_S):
        with stays:
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
        ProxyProcess.juicebus(environment=("GOMAXPROCS=8", "GOGC=1")) as proxy,
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
    over, flaky_stays = threading.Event(), threading.Lock()
    with (
        ProxyProcess.juicebus() as proxy,
        ProxyProcess.juicebus() as flaky,
        go_service(tmp_path) as go,
        python_service(proxy.pub_uri, proxy.sub_uri, flaky.pub_uri, flaky.sub_uri) as python,
        uneven(proxy.pid, WARM_UP_S * 0.8),
    ):
        every = {"proxy": Watched(proxy), "Python": Watched(python), "Go": WatchedGo(go)}

        def rest() -> None:
            """Let everything rest, and count what it has."""
            with flaky_stays:
                assert told(python, "rest") == "resting\n"
                over.wait(REST_S)  # for what goes on in the background after a close
                samples: dict[str, list[dict[str, int]]] = {name: [] for name in every}
                for _ in range(LOOKS_AT_REST):
                    for name, watched in every.items():
                        samples[name].append(watched.counts())
                    over.wait(REST_S / LOOKS_AT_REST)
                for name, watched in every.items():
                    watched.look_at_rest(samples[name])
                assert python.stdin is not None
                python.stdin.write("go on\n")
                python.stdin.flush()

        killing = threading.Thread(target=come_and_go, args=(flaky, flaky_stays, over))
        killing.start()
        try:
            began, rested = time.monotonic(), False
            while (at_s := time.monotonic() - began) < DURATION_S:
                assert python.poll() is None
                if at_s >= WARM_UP_S and not rested:
                    rest()
                    rested = True
                for watched in every.values():
                    watched.look(at_s)
                over.wait(LOOK_EVERY_S)
            rest()
        finally:
            over.set()
            killing.join()
    record_property("figure", f"{DURATION_S / 60:.0f} min, the last 6th to the first:")
    for name, watched in every.items():
        left = ", ".join(f"{what} {n:+.0f}" for what, n in watched.left_behind().items())
        record_property("figure", f"{name}: {watched.grown_bytes() / MIB:+.1f} MiB, {left}")
    for watched in every.values():
        assert watched.grown_bytes() <= GROWTH_BYTES_MAX
        assert max(watched.left_behind().values()) <= 0
