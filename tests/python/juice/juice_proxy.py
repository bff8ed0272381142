# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# A process with the ZMQProxy that Juice has there: its own, or ours where
# JUICEBUS_REPLACE_JUICE=1 says so. It binds free ports, prints them in one line,
# for publishers and for subscribers, and forwards until its standard input ends.
from __future__ import annotations

import asyncio
import sys

import zmq
from orangeqs.juice.messaging.zmq import ZMQProxy


def uris(proxy: ZMQProxy) -> list[str]:
    """Where it listens: ours says so, of Juice's only the sockets know."""
    if hasattr(proxy, "pub_uri"):
        return [proxy.pub_uri, proxy.sub_uri]
    return [each.getsockopt_string(zmq.LAST_ENDPOINT) for each in (proxy._sub, proxy._pub)]


async def main() -> None:
    proxy = ZMQProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
    forwarding = asyncio.create_task(proxy.run())
    print(*(uri.rpartition(":")[2] for uri in uris(proxy)), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    forwarding.cancel()
    await asyncio.gather(forwarding, return_exceptions=True)


asyncio.run(main())
