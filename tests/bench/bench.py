# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What a run of a peer needs: where things are, brokers, and processes with a deadline.

next: process.py
"""

from __future__ import annotations

import os
import re
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
        if kind == "juice":
            path = f"PYTHONPATH={ROOT / 'tests' / 'conformance'}"
            return ["env", path, self.python, "-m", "peers.juice_proxy"]
        return [self.python, str(HERE / f"broker_{kind}.py")]

    @contextmanager
    def broker(self, kind: str) -> Iterator[tuple[str, str]]:
        """Run a broker; yield where its publishers and its subscribers connect."""
        with self.listening(self.broker_command(kind)) as (_, pub_uri, sub_uri):
            yield pub_uri, sub_uri

    @contextmanager
    def listening(self, command: Sequence[str | Path]) -> Iterator[tuple[Process, str, str]]:
        """Run the command of a broker; yield its process, and the URIs that it is ready at."""
        with self.process(command) as process:
            line = process.line()
            found = re.fullmatch(r"ready pub=(\S+) sub=(\S+)", line)
            if found is None:
                raise RuntimeError(f"{command}: {line!r} instead of ready")
            yield process, found[1], found[2]

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

    def stream(
        self, broker: str, publisher: Sequence[object], subscriber: Sequence[object]
    ) -> dict[str, Any]:
        """Run publishing.py and receiving.py through a broker; return what both measured.

        A pipe leads back from the second to the first, see stream.py.
        """
        with ExitStack() as stack:
            pub_uri, sub_uri = stack.enter_context(self.broker(broker))
            reading, writing = os.pipe()
            # Only the processes keep the pipe open: each sees the other's end.
            with open(reading, "rb"), open(writing, "wb"):
                pub = stack.enter_context(
                    self.script("publishing.py", *publisher, pub_uri, stdin=reading)
                )
                sub = stack.enter_context(
                    self.script("receiving.py", *subscriber, sub_uri, writing, pass_fds=(writing,))
                )
            received = sub.json()
            return {"publish": pub.json(), "get": received}
