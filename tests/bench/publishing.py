# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The publishing process of a stream, see stream.py. Prints what it cost.

    python publishing.py PEER blocking|async one|many event|bytes WINDOW URI

Its standard input is the pipe that leads back from receiving.py.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys

from stream import publish_stream


async def main(peer: str, twin: str, unit: str, content: str, window: str, uri: str) -> None:
    peers = importlib.import_module(f"peer_{peer}")
    sender, item_of = await peers.sender(twin, unit, content, uri)
    figures = await publish_stream(sender, item_of, int(window), sys.stdin.fileno())
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
