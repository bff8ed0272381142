# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""nats-server on a free port. It ends with this process."""

from __future__ import annotations

import re
import signal
import subprocess

# On Debian; a user's PATH may lack it.
SERVER = "/usr/sbin/nats-server"


def main() -> None:
    server = subprocess.Popen(
        [SERVER, "-a", "127.0.0.1", "-p", "-1"],
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"Listening for client connections on (\S+)", line):
            print(f"ready pub=nats://{found[1]} sub=nats://{found[1]}", flush=True)
    server.wait()


if __name__ == "__main__":
    main()
