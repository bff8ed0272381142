# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""TCP addresses on this machine: free ones, and what a plain socket needs of a URI."""

from __future__ import annotations

import random
import socket
from pathlib import Path


def free_uri() -> str:
    """Return an address whose port nobody uses, below those that the kernel gives to clients.

    A client that retries such a port on the loopback can meet itself there, and so keep
    the proxy from coming back to it.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, lowest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"tcp://127.0.0.1:{port}"


def host_and_port(uri: str) -> tuple[str, int]:
    """Return what tcp://host:port is to a socket."""
    host, _, port = uri.removeprefix("tcp://").rpartition(":")
    return host, int(port)
