# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A proxy in a process of its own that can be killed and started again at its addresses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from typing_extensions import Self

from addresses import free_uri

ROOT = Path(__file__).parents[2]
JUICEBUS_PROXY = ROOT / "build" / "bin" / "juicebus-proxy"
STOP_TIMEOUT_S = 10.0


class ProxyProcess:
    """A proxy that prints `ready pub=URI sub=URI`; runs from the start of its with block."""

    def __init__(self, command: Sequence[str], pub_uri: str, sub_uri: str, cwd: Path) -> None:
        """`command` listens at these addresses."""
        self.pub_uri = pub_uri
        self.sub_uri = sub_uri
        self._command = command
        self._cwd = cwd
        self._process: subprocess.Popen[str]
        self.last_words = ""

    @classmethod
    def juicebus(cls, *flags: str, environment: Sequence[str] = ()) -> ProxyProcess:
        """Return a juicebus-proxy, with some variables such as "GOGC=1"."""
        pub, sub = free_uri(), free_uri()
        command = [str(JUICEBUS_PROXY), "--pub", pub, "--sub", sub, *flags]
        return cls(["env", *environment, *command], pub, sub, ROOT)

    @classmethod
    def juice(cls) -> ProxyProcess:
        """Return Juice's own proxy."""
        pub, sub = free_uri(), free_uri()
        command = [sys.executable, "-m", "peers.juice_proxy", pub, sub]
        return cls(command, pub, sub, ROOT / "tests" / "conformance")

    @property
    def pid(self) -> int:
        """The process's id."""
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
        with self._process:
            self._process.kill()

    def stop(self) -> None:
        """End it as an administrator would: SIGTERM, and a clean exit. It may say something."""
        with self._process:
            self._process.terminate()
            self.last_words, _ = self._process.communicate(timeout=STOP_TIMEOUT_S)
            assert self._process.returncode == 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            self.stop()
        else:
            self.kill()
