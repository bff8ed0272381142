# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# What the tests of this folder share: Juice's own classes, kept where install()
# does not reach them, a proxy in a process, and an exchange of one event.
from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from orangeqs.juice.messaging import Event, zmq
from orangeqs.juice.schemas.task_manager import TaskManagerConnectionInfo

# install() replaces attributes of modules, not what a dict holds.
ORIGINAL: dict[str, Any] = {name: getattr(zmq, name) for name in zmq.__all__}


class Ping(Event):
    measurement: ClassVar[str] = "ping"
    number: int


def connection(pub_port: int, sub_port: int) -> TaskManagerConnectionInfo:
    """What Juice's helpers take to find a proxy on the loopback."""
    return TaskManagerConnectionInfo(
        ip="127.0.0.1", pub_port=pub_port, sub_port=sub_port, router_port=1
    )


@contextmanager
def proxy_process(replaced: bool) -> Iterator[TaskManagerConnectionInfo]:
    """A process with Juice's proxy, or with ours in its place."""
    script = str(Path(__file__).with_name("juice_proxy.py"))
    process = subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "JUICEBUS_REPLACE_JUICE": "1" if replaced else ""},
    )
    with process:
        assert process.stdout is not None and process.stdin is not None
        yield connection(*map(int, process.stdout.readline().split()))
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def until_received(publish: Callable[[], None], get: Callable[[float], Any]) -> Any:
    """Publish until the subscription, which nobody confirms, is live and an event comes."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        publish()
        try:
            return get(0.1)
        except TimeoutError:
            continue
    raise AssertionError("no event came within 20 s")
