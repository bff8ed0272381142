# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The lines that a Python peer speaks with the runner.

Events come in from the runner as lines on standard input and go out to it as
lines on standard output, both `name<TAB>topic<TAB>payload in hex`. Next: the
peers, `juice_peer.py` and `juicebus_peer.py`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class WireEvent(Protocol):
    """What events of both packages offer."""

    @classmethod
    def name(cls) -> str:
        """Return the event type's name."""
        ...

    def topic(self) -> str | None:
        """Return the event's topic."""
        ...

    def to_msg(self) -> Sequence[bytes]:
        """Return the event as JSON, in one frame."""
        ...


def say(text: str) -> None:
    """Write one line to the runner, at once. Blocks while the pipe is full."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer(confirmed: bool) -> str:
    """Return what the proxy answered, as the runner is told."""
    return "confirmed" if confirmed else "unconfirmed"


def parse(line: str) -> tuple[str, bytes]:
    """Return the event name and the payload that a line from the runner holds.

    The topic is not among them: an event class computes its own from its fields.
    """
    name, _topic, payload_hex = line.rstrip("\n").split("\t")
    return name, bytes.fromhex(payload_hex)


def describe(event: WireEvent) -> str:
    """Return the line that tells the runner of a received event."""
    return f"{event.name()}\t{event.topic() or ''}\t{event.to_msg()[0].hex()}"


def subscriptions(arguments: Sequence[str]) -> list[tuple[str, str | None]]:
    """Return the (name, topic) pairs in arguments of the form `name[:topic]`."""
    pairs = [argument.partition(":") for argument in arguments]
    return [(name, topic or None) for name, _colon, topic in pairs]


async def stdin_lines() -> AsyncIterator[str]:
    """Yield the runner's lines until it closes the pipe, without blocking the loop."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode()


async def stdin_end() -> None:
    """Wait until the runner closes the pipe."""
    async for _line in stdin_lines():
        pass
