# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Many threads on one publisher and one subscriber (many_threads.py), in a process of
their own: one that is used so can end in an abort."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy_process import ProxyProcess
from sides import side_named

pytestmark = pytest.mark.fault(12)


def exchange(
    side: str, proxy: ProxyProcess, events: int, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    program = str(Path(__file__).with_name("many_threads.py"))
    return subprocess.run(
        [sys.executable, program, side, proxy.pub_uri, proxy.sub_uri, str(events)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


@pytest.mark.parametrize(
    "events", [100_000, pytest.param(1_000_000, marks=[pytest.mark.soak])], ids="{:,}".format
)
def test_32_threads_on_two_handles_lose_nothing_and_double_nothing(
    proxy: ProxyProcess, events: int, record_property: Callable[[str, object], None]
) -> None:
    done = exchange("juicebus", proxy, events, timeout_s=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"sent": events, "lost": 0, "twice": 0}
    record_property("figure", f"{events:,} events: 0 lost, 0 twice")


def test_32_threads_on_two_handles_of_juice(
    record_property: Callable[[str, object], None],
) -> None:
    events = 20_000
    with side_named("juice").proxy() as proxy:
        try:
            done = exchange("juice", proxy, events, timeout_s=20)
        except subprocess.TimeoutExpired:
            outcome = "hangs, killed after 20 s"
        else:
            outcome = done.stdout.strip() or f"exit {done.returncode}: {done.stderr.strip()[-60:]}"
    record_property("juice", f"{events:,} events: {outcome}")
