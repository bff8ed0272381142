# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""pyzmq and zmq.asyncio as a peer: two frames, key and payload, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zmq
import zmq.asyncio

from reading import KEY, payload_of
from stream import NUMBER_OF_PAYLOAD, Receiver, Sender


def connected(twin: str, kind: int, uri: str) -> Any:
    context: Any = (zmq.asyncio.Context if twin == "async" else zmq.Context).instance()
    socket = context.socket(kind)
    socket.linger = 0
    # By default it drops what exceeds 1,000.
    socket.set_hwm(0)
    socket.connect(uri)
    return socket


async def sender(
    twin: str, unit: str, content: str, uri: str
) -> tuple[Sender, Callable[[int], Any]]:
    socket = connected(twin, zmq.PUB, uri)
    return Sender(socket.send_multipart, twin == "async"), lambda number: (KEY, payload_of(number))


async def receiver(twin: str, unit: str, content: str, uri: str) -> Receiver:
    socket = connected(twin, zmq.SUB, uri)
    socket.subscribe(KEY)
    return Receiver(
        socket.recv_multipart, lambda frames: NUMBER_OF_PAYLOAD(frames[1]), twin == "async"
    )
