# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Juice's own proxy in a process of its own, on free ports of the loopback.

Run as `python -m peers.juice_proxy`. It prints `ready pub=URI sub=URI` once both
addresses are bound, as juicebus-proxy does, and forwards until it is terminated.
"""

from __future__ import annotations

import asyncio
import signal

import zmq
from orangeqs.juice.messaging.zmq import ZMQProxy

from peers.lines import say


async def main() -> None:
    """Forward events until SIGTERM."""
    proxy = ZMQProxy("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
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
    asyncio.run(main())
