# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The receiving process of a stream, see stream.py. Prints how fast it was, and what it cost.

    python receiving.py PEER blocking|async one|many event|bytes WINDOW URI FD

FD is the pipe that leads back to publishing.py.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys

from stream import receive_stream


async def main(
    peer: str, twin: str, unit: str, content: str, window: str, uri: str, acks_fd: str
) -> None:
    peers = importlib.import_module(f"peer_{peer}")
    receiver = await peers.receiver(twin, unit, content, uri)
    figures = await receive_stream(receiver, int(window), int(acks_fd))
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
