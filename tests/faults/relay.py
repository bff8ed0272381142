# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A TCP relay in this process that can go silent: connections stay open, nothing passes.

So does a network whose cable was pulled: no side is told that the other has gone.
"""

from __future__ import annotations

import contextlib
import socket
import threading

from typing_extensions import Self

from addresses import host_and_port

CHUNK_BYTES = 1 << 16


class Connection:
    """The two sockets of one relayed connection, and the threads between them."""

    def __init__(self, client: socket.socket, target: socket.socket, flows: bool) -> None:
        self.flows = threading.Event()
        if flows:
            self.flows.set()
        self._ends = (client, target)
        self._pumps = [
            threading.Thread(target=self._pump, args=ends)
            for ends in ((client, target), (target, client))
        ]
        for pump in self._pumps:
            pump.start()

    def close(self) -> None:
        """End it on both sides."""
        self.flows.set()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for pump in self._pumps:
            pump.join()
        for end in self._ends:
            end.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                self.flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class Relay:
    """Relays to a target URI, within its with block."""

    def __init__(self, target_uri: str) -> None:
        self._target = host_and_port(target_uri)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._flows = True
        self._turn = threading.Lock()
        self._connections: list[Connection] = []
        self._accepting = threading.Thread(target=self._accept)

    def forget(self) -> None:
        """Let the connections of now be silent for ever; later ones are relayed.

        A peer that was switched off, or a router that forgot them, leaves this behind.
        """
        with self._turn:
            for connection in self._connections:
                connection.flows.clear()

    def stall(self) -> None:
        """Let every connection be silent, new ones too."""
        self.forget()
        self._flows = False

    def resume(self) -> None:
        """Let every connection flow again."""
        with self._turn:
            self._flows = True
            for connection in self._connections:
                connection.flows.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                target = socket.create_connection(self._target)
                with self._turn:
                    self._connections.append(Connection(client, target, self._flows))

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for connection in self._connections:
            connection.close()
