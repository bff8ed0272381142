# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures the CPU that a publisher and a subscriber use who are connected and have no event.

    python idle.py juicebus|juice blocking|async PUB_URI SUB_URI

Prints the percentage of a core. The subscriber waits in a get all the time.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any

from stream import PROBE, Clock

IDLE_S = 3.0
# Of what happens once after a connection is made, nothing is left.
SETTLE_S = 2.0
PROBE_EACH_S = 0.1


async def main(peer: str, twin: str, pub_uri: str, sub_uri: str) -> None:
    module = importlib.import_module(f"peer_{peer}")
    sender, item_of = await module.sender(twin, "one", "event", pub_uri)
    receiver = await module.receiver(twin, "one", "event", sub_uri)

    async def got_one(timeout: float) -> bool:
        try:
            got: Any = receiver.get(timeout)
            if receiver.is_async:
                await got
        except TimeoutError:
            return False
        return True

    while True:
        await sender.send_all([item_of(PROBE)])
        if await got_one(PROBE_EACH_S):
            break
    # A probe that was late.
    while await got_one(PROBE_EACH_S):
        pass
    settled = not await got_one(SETTLE_S)
    clock = Clock()
    if await got_one(IDLE_S) or not settled:
        raise RuntimeError("an event came")
    print(json.dumps(clock.percent_of_a_core()), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
