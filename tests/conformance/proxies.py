# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A proxy in a process of its own, on free ports of the loopback.

`run.py` chooses juicebus-proxy or Juice's ZMQProxy, `bus.py` connects the peers to
the addresses that it says.
"""

from __future__ import annotations

import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from process import LineProcess, News, ProcessError

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Addresses:
    """Where publishers and where subscribers connect."""

    pub_uri: str
    sub_uri: str


@asynccontextmanager
async def run_proxy(label: str, command: Sequence[str], news: News) -> AsyncIterator[Addresses]:
    """Run a proxy that chooses free ports and says so in its ready line.

    Raises ProcessError if it does not start, or does not end cleanly at SIGTERM.
    """
    said: list[str] = []
    proxy = await LineProcess.start(label, command, said.append, news)
    try:
        if not await news.until(lambda: bool(said), START_TIMEOUT_S):
            raise ProcessError(f"{label}: not ready within {START_TIMEOUT_S:g} s")
        ready = re.fullmatch(r"ready pub=(\S+) sub=(\S+)", said[0])
        if ready is None:
            raise ProcessError(f"{label}: says {said[0]!r} instead of its ready line")
        yield Addresses(ready[1], ready[2])
        await proxy.finish(STOP_TIMEOUT_S, signal.SIGTERM)
    finally:
        await proxy.kill()
