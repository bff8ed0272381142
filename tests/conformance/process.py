# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""One process that speaks in lines: a peer or a proxy.

What it prints goes, line by line, to the function given at start; what the runner
tells it goes to its standard input. Whoever waits for something waits on `News`,
which every line and every end of a process announces. Next: `bus.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

LINE_BYTES_MAX = 1 << 20


class ProcessError(Exception):
    """A process ended early, with an error, or did not do its part in time."""


class News:
    """Something that waiting tasks can be told of. Use it within one event loop."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self.failure: str | None = None

    async def announce(self) -> None:
        """Let waiting tasks look again."""
        async with self._changed:
            self._changed.notify_all()

    async def until(self, is_so: Callable[[], bool], timeout: float) -> bool:
        """Wait up to `timeout` seconds until `is_so()`; return whether it is.

        Raises ProcessError as soon as a process has failed.
        """

        def is_over() -> bool:
            return self.failure is not None or is_so()

        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(is_over), timeout)
            except asyncio.TimeoutError:
                return False
        if self.failure is not None:
            raise ProcessError(self.failure)
        return True


class LineProcess:
    """A running process. Started by `start`, ended by `finish` or `kill`."""

    def __init__(
        self, label: str, child: asyncio.subprocess.Process, hear: Callable[[str], None], news: News
    ) -> None:
        self.label = label
        self._child = child
        self._hear = hear
        self._news = news
        self._may_end = False
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(
        cls, label: str, command: Sequence[str], hear: Callable[[str], None], news: News
    ) -> LineProcess:
        """Start `command`; every line that it prints goes to `hear`."""
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_BYTES_MAX,
            )
        except OSError as error:
            raise ProcessError(f"{label}: cannot start {command[0]}: {error.strerror}") from error
        return cls(label, child, hear, news)

    async def _listen(self) -> None:
        assert self._child.stdout is not None
        try:
            while line := await self._child.stdout.readline():
                self._hear(line.decode().rstrip("\n"))
                await self._news.announce()
        except ValueError as error:
            self._news.failure = f"{self.label}: a line that cannot be understood: {error}"
        if not self._may_end and self._news.failure is None:
            self._news.failure = f"{self.label}: ended early"
        await self._news.announce()

    async def tell(self, lines: Sequence[str]) -> None:
        """Write lines to its standard input; waits while the pipe is full."""
        assert self._child.stdin is not None
        self._child.stdin.write("".join(line + "\n" for line in lines).encode())
        await self._child.stdin.drain()

    async def finish(self, timeout: float, signal_number: int | None = None) -> None:
        """Close its standard input, send it the signal if any, wait for its end.

        Raises ProcessError if that takes over `timeout` seconds or its exit code
        is not 0.
        """
        assert self._child.stdin is not None
        self._may_end = True
        self._child.stdin.close()
        if signal_number is not None:
            self._child.send_signal(signal_number)
        try:
            code = await asyncio.wait_for(self._child.wait(), timeout)
        except asyncio.TimeoutError:
            raise ProcessError(f"{self.label}: still runs after {timeout:g} s") from None
        await self._listening
        if code != 0:
            raise ProcessError(f"{self.label}: exit code {code}")

    async def kill(self) -> None:
        """End it whatever it does; nothing happens if it has ended already."""
        self._may_end = True
        if self._child.returncode is None:
            self._child.kill()
        await self._child.wait()
        await self._listening
