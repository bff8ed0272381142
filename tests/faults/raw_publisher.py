# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A publisher that sends any frames at all, over pyzmq and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import zmq

from probing import DEADLINE_S


class RawPublisher:
    """A connected publisher; send() does what it is told."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        self._socket = socket

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames as they are."""
        self._socket.send_multipart(frames)


@contextmanager
def raw_publisher(uri: str) -> Iterator[RawPublisher]:
    """Yield a publisher to which the proxy at `uri` has subscribed."""
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.linger = 0
        socket.connect(uri)
        assert socket.poll(round(DEADLINE_S * 1000)), f"no proxy at {uri}"
        yield RawPublisher(socket)
