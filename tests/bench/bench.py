# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What a run of a peer needs: where things are, brokers, and processes with a deadline.

next: process.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from process import Process

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
ANY_PORT = "tcp://127.0.0.1:0"


class Bench:
    """The place that all runs of a benchmark share."""

    root = ROOT
    here = HERE
    build = ROOT / "build" / "bench"
    proxy_binary = ROOT / "build" / "bin" / "juicebus-proxy"
    python = sys.executable

    def __init__(self) -> None:
        """Start with the first round."""
        self._known: dict[Any, Any] = {}

    def new_round(self) -> None:
        """Forget what was measured in the round before."""
        self._known.clear()

    def once(self, key: Any, run: Callable[[], Any]) -> Any:
        """Return what `run` returns, run once a round: several measures can share a run."""
        if key not in self._known:
            self._known[key] = run()
        return self._known[key]

    def broker_command(self, kind: str) -> list[str]:
        """Return the command of a broker: juicebus, juice, zmq, zenoh or nats.

        It prints `ready pub=URI sub=URI` once it listens.
        """
        if kind == "juicebus":
            # A hold would only delay the start of each run.
            flags = ("--pub", ANY_PORT, "--sub", ANY_PORT, "--hold", "0")
            return [str(self.proxy_binary), *flags]
        return [self.python, str(HERE / f"broker_{kind}.py")]

    @contextmanager
    def broker(self, kind: str) -> Iterator[tuple[str, str]]:
        """Run a broker; yield where its publishers and its subscribers connect."""
        with self.process(self.broker_command(kind)) as process:
            words = process.line().split()
            if words[:1] != ["ready"]:
                raise RuntimeError(f"{kind}: {words} instead of ready")
            yield words[1].removeprefix("pub="), words[2].removeprefix("sub=")

    def process(self, command: Sequence[str | Path], **popen: Any) -> Process:
        """Return a process, to be used by `with`; at the end of that it is ended."""
        return Process([str(word) for word in command], **popen)

    def script(self, name: str, *arguments: object, **popen: Any) -> Process:
        """Return a process that runs a Python file of this folder."""
        return self.process([self.python, str(HERE / name), *map(str, arguments)], **popen)

    def result(self, name: str, *arguments: object) -> Any:
        """Run a Python file of this folder, and return the JSON line that it prints."""
        with self.script(name, *arguments) as process:
            return process.json()

    def pair(self, publisher: Sequence[object], subscriber: Sequence[object]) -> tuple[Any, Any]:
        """Run publishing.py and receiving.py to their end, and return what both measured.

        A pipe leads back from the second to the first, see stream.py.
        """
        reading, writing = os.pipe()
        with ExitStack() as stack:
            # Only the processes keep the pipe open: each sees the other's end.
            with open(reading, "rb"), open(writing, "wb"):
                pub = stack.enter_context(self.script("publishing.py", *publisher, stdin=reading))
                sub = stack.enter_context(
                    self.script("receiving.py", *subscriber, writing, pass_fds=(writing,))
                )
            received = sub.json()
            return pub.json(), received
