# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Juice's own proxy in a process of its own."""

from __future__ import annotations

import asyncio

import zmq
from orangeqs.juice.messaging.zmq import ZMQProxy


async def main() -> None:
    proxy = ZMQProxy("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
    # ZMQProxy offers no way to ask which ports it got, its sockets know.
    pub, sub = (s.getsockopt_string(zmq.LAST_ENDPOINT) for s in (proxy._sub, proxy._pub))
    print(f"ready pub={pub} sub={sub}", flush=True)
    await proxy.run()


if __name__ == "__main__":
    asyncio.run(main())
