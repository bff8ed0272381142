# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A proxy in a process of its own that can be killed and started again at its addresses."""

from __future__ import annotations

import random
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

ROOT = Path(__file__).parents[2]
JUICEBUS_PROXY = ROOT / "build" / "bin" / "juicebus-proxy"
STOP_TIMEOUT_S = 10.0


def free_port() -> int:
    """Return a port that nobody uses, below those that the kernel gives to clients.

    A client that retries such a port on the loopback can meet itself there, and so keep
    the proxy from coming back to it.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, lowest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class ProxyProcess:
    """A proxy that prints `ready pub=URI sub=URI`; runs from the start of its with block."""

    def __init__(self, command: Sequence[str], pub_uri: str, sub_uri: str, cwd: Path) -> None:
        """`command` listens at these addresses."""
        self.pub_uri = pub_uri
        self.sub_uri = sub_uri
        self._command = command
        self._cwd = cwd
        self._process: subprocess.Popen[str] | None = None
        self.last_words = ""

    @classmethod
    def juicebus(cls, *flags: str) -> ProxyProcess:
        """Return a juicebus-proxy."""
        pub, sub = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        return cls([str(JUICEBUS_PROXY), "--pub", pub, "--sub", sub, *flags], pub, sub, ROOT)

    @classmethod
    def juice(cls) -> ProxyProcess:
        """Return Juice's own proxy."""
        pub, sub = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        command = [sys.executable, "-m", "peers.juice_proxy", pub, sub]
        return cls(command, pub, sub, ROOT / "tests" / "conformance")

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True, cwd=self._cwd
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert re.fullmatch(r"ready pub=\S+ sub=\S+\n", line), f"proxy says {line!r}"

    def kill(self) -> None:
        """End it as a crash would: SIGKILL."""
        assert self._process is not None
        with self._process:
            self._process.kill()

    def stop(self) -> None:
        """End it as an administrator would: SIGTERM, and a clean exit. It may say something."""
        assert self._process is not None
        with self._process:
            self._process.terminate()
            self.last_words, _ = self._process.communicate(timeout=STOP_TIMEOUT_S)
            assert self._process.returncode == 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.stop()
        else:
            self.kill()
