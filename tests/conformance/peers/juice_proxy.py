# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Juice's own proxy in a process of its own, by default on free ports of the loopback.

Run as `python -m peers.juice_proxy [PUB_URI SUB_URI]`. It prints `ready pub=URI sub=URI` once both
addresses are bound, as juicebus-proxy does, and forwards until it is terminated.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import zmq
from orangeqs.juice.messaging.zmq import ZMQProxy

from peers.lines import say


async def main(pub_uri: str = "tcp://127.0.0.1:*", sub_uri: str = "tcp://127.0.0.1:*") -> None:
    """Forward events until SIGTERM."""
    proxy = ZMQProxy(pub_uri, sub_uri)
    forwarding = asyncio.create_task(proxy.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, forwarding.cancel)
    # ZMQProxy offers no way to ask which ports it got, its sockets know.
    uris = [s.getsockopt_string(zmq.LAST_ENDPOINT) for s in (proxy._sub, proxy._pub)]
    say(f"ready pub={uris[0]} sub={uris[1]}")
    try:
        await forwarding
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
