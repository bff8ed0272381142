# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A zenoh router in a process of its own."""

from __future__ import annotations

import json
import signal
import socket

import zenoh


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    uri = f"tcp/127.0.0.1:{free_port()}"
    config = zenoh.Config()
    config.insert_json5("mode", '"router"')
    config.insert_json5("listen/endpoints", json.dumps([uri]))
    config.insert_json5("scouting/multicast/enabled", "false")
    with zenoh.open(config):
        print(f"ready pub={uri} sub={uri}", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
