# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""libzmq's own forwarder, zmq_proxy, which runs in C here too."""

from __future__ import annotations

import zmq


def main() -> None:
    context = zmq.Context()
    publishers, subscribers = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
    for socket in (publishers, subscribers):
        socket.set_hwm(0)
        socket.bind("tcp://127.0.0.1:*")
    pub, sub = (s.getsockopt_string(zmq.LAST_ENDPOINT) for s in (publishers, subscribers))
    print(f"ready pub={pub} sub={sub}", flush=True)
    zmq.proxy(publishers, subscribers)


if __name__ == "__main__":
    main()
