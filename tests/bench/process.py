# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A child process that tells its results in lines of JSON, and is killed at its deadline."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

from typing_extensions import Self

DEADLINE_S = 60.0
STOP_S = 5.0


class Process:
    """A process, that is ended with its with block."""

    def __init__(self, command: Sequence[str], **popen: Any) -> None:
        """Start it."""
        self._command = command
        self._popen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **popen)
        self._watchdog = threading.Timer(DEADLINE_S, self._popen.kill)
        self._watchdog.start()

    @property
    def pid(self) -> int:
        """Its id."""
        return self._popen.pid

    def line(self) -> str:
        """Return the next line that it prints."""
        assert self._popen.stdout is not None
        line: str = self._popen.stdout.readline()
        if not line:
            code = self._popen.wait()
            raise RuntimeError(f"{' '.join(self._command)}: ended with {code}, and no result")
        return line.rstrip("\n")

    def json(self) -> Any:
        """Return the value in the next line that it prints."""
        return json.loads(self.line())

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End it, if it has not ended by itself."""
        self._popen.terminate()
        try:
            self._popen.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._watchdog.cancel()
        assert self._popen.stdout is not None
        self._popen.stdout.close()
