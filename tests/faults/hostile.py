# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Peers and proxies that speak ZMTP over a plain socket, and can say whatever they like.

The frames are those of ZMTP 3.0 and 3.1: a flags byte, a size of one byte or eight, the
body. What a good peer says before its first frame is a greeting and one READY command.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from contextlib import suppress

from typing_extensions import Self

from addresses import host_and_port

MORE, LONG, COMMAND = 1, 2, 4


def greeting(minor: int = 0, mechanism: bytes = b"NULL") -> bytes:
    """Return the 64 bytes that a peer begins with."""
    signature = b"\xff" + bytes(8) + b"\x7f"
    return signature + bytes([3, minor]) + mechanism.ljust(20, b"\0") + bytes(32)


def frame(body: bytes, flags: int = 0) -> bytes:
    """Return one frame."""
    if len(body) > 255:
        return head(len(body), flags) + body
    return bytes([flags, len(body)]) + body


def head(size: int, flags: int = 0) -> bytes:
    """Return the head of a long frame, to which its body is still owed."""
    return bytes([flags | LONG]) + size.to_bytes(8, "big")


def command(name: bytes, body: bytes = b"") -> bytes:
    """Return one command."""
    return frame(bytes([len(name)]) + name + body, COMMAND)


def ready(socket_type: bytes) -> bytes:
    """Return the command that ends a handshake."""
    name = b"Socket-Type"
    size = len(socket_type).to_bytes(4, "big")
    return command(b"READY", bytes([len(name)]) + name + size + socket_type)


def subscription(prefix: bytes) -> bytes:
    """Return what a subscriber sends to subscribe."""
    return frame(b"\1" + prefix)


def send_until_cut_off(connection: socket.socket, data: bytes, timeout: float) -> int:
    """Do what HostilePeer.send_until_cut_off says."""
    end = time.monotonic() + timeout
    connection.setblocking(False)
    sent = position = 0
    while (left := end - time.monotonic()) > 0:
        readable, writable, _ = select.select([connection], [connection], [], left)
        try:
            if readable and not connection.recv(1 << 16):
                return sent
            if writable:
                count = connection.send(memoryview(data)[position:])
                sent, position = sent + count, (position + count) % len(data)
        except (ConnectionResetError, BrokenPipeError):
            return sent
    raise TimeoutError(f"{sent:,} bytes went, and the connection is still there")


class HostilePeer:
    """A connection to a socket that speaks ZMTP. It is closed at the end of its with block."""

    def __init__(self, uri: str) -> None:
        """Connect to tcp://host:port or ipc://path."""
        if uri.startswith("ipc://"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(uri.removeprefix("ipc://"))
        else:
            self.socket = socket.create_connection(host_and_port(uri))

    def shake_hands(self, socket_type: bytes, minor: int = 0) -> None:
        """Become a peer like any other: b"XPUB" for a publisher, b"SUB" for a subscriber.

        What is sent before the other side's READY is no frame but a broken handshake.
        """
        self.socket.sendall(greeting(minor) + ready(socket_type))
        self.receive(len(greeting()) + len(ready(b"XPUB")))

    def wait_for_frame(self) -> None:
        """Read until there is a frame: the handshake is over on the other side too."""
        self.receive(2)

    def receive(self, size: int) -> bytes:
        """Read exactly so many bytes."""
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionResetError("the other side ended the connection")
            data += part
        return data

    def send_until_cut_off(self, data: bytes, timeout: float) -> int:
        """Send the same bytes over and over; return how many went until nobody took them.

        Raises TimeoutError if that goes on for so long.
        """
        return send_until_cut_off(self.socket, data, timeout)

    def send_what_goes(self, data: bytes) -> None:
        """Send bytes to an other side that may end the connection at any of them."""
        with suppress(ConnectionError):
            self.socket.sendall(data)

    def wait_until_cut_off(self, timeout: float) -> None:
        """Read until the other side ends the connection; raises TimeoutError if it does not."""
        self.socket.settimeout(timeout)
        end = time.monotonic() + timeout
        try:
            while self.socket.recv(1 << 16):
                if time.monotonic() > end:
                    raise TimeoutError(f"still connected after {timeout:g} s")
        except (ConnectionResetError, BrokenPipeError):
            return

    def reset(self) -> None:
        """End the connection at once, whatever the other side has not read yet."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()


class HostileProxy:
    """Listens where a proxy should, at one of its sides, and makes a handshake with who comes."""

    def __init__(self, uri: str, socket_type: bytes) -> None:
        """Listen at tcp://host:port as XPUB, to subscribers, or XSUB, to publishers."""
        self._listening = socket.create_server(host_and_port(uri))
        self._socket_type = socket_type

    def accept(self, timeout: float) -> socket.socket:
        """Return a connection to the next client, after the handshake."""
        self._listening.settimeout(timeout)
        connection, _ = self._listening.accept()
        connection.settimeout(timeout)
        connection.sendall(greeting() + ready(self._socket_type))
        received = 0
        while received < len(greeting() + ready(b"SUB")):
            received += len(connection.recv(1 << 16))
        if self._socket_type == b"XSUB":
            connection.sendall(subscription(b""))
        return connection

    def send_until_cut_off(self, data: bytes, timeout: float) -> int:
        """Send the same bytes over and over to the next client, as a HostilePeer does."""
        with self.accept(timeout) as connection:
            return send_until_cut_off(connection, data, timeout)

    def send_once_to_a_new_client(self, data: bytes, timeout: float = 20.0) -> None:
        """Wait for a client that can hear it, and say this to it."""
        with self.accept(timeout) as connection:
            connection.sendall(data)
            connection.settimeout(timeout)
            try:
                while connection.recv(1 << 16):
                    pass
            except ConnectionResetError:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._listening.close()
