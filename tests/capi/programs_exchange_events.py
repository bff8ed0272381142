# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The C and C++ peers and drivers do what their first comments say, through the proxy.

Each peer publishes to both peers, and the two drivers receive each other's events.
"""

import subprocess
import sys
from contextlib import ExitStack
from typing import IO


class Program:
    """A child process with its standard input and output."""

    def __init__(self, stack: ExitStack, *command: str) -> None:
        """Start it; it ends with the stack."""
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8")
        stack.callback(self.child.kill)

    def stream(self, stream: IO[str] | None) -> IO[str]:
        """Return a pipe of the child."""
        assert stream is not None
        return stream

    def read(self) -> str:
        """Return the next line; "" at its end."""
        return self.stream(self.child.stdout).readline()

    def read_until(self, wanted: str) -> None:
        """Read lines up to this one."""
        while (line := self.read()) != wanted:
            if not line:
                raise SystemExit(f"{self.child.args!r}: ended before it printed {wanted!r}")

    def write(self, line: str) -> None:
        """Write a line to the child."""
        self.stream(self.child.stdin).write(line)
        self.stream(self.child.stdin).flush()

    def finish(self) -> None:
        """End its input; it exits with 0."""
        self.stream(self.child.stdin).close()
        self.stream(self.child.stdout).read()  # a full pipe would keep it from ending
        if code := self.child.wait(timeout=20):
            raise SystemExit(f"{self.child.args!r}: exit code {code}")


def peers(stack: ExitStack, pub_uri: str, sub_uri: str, paths: list[str]) -> None:
    """Let each of the peers publish a line of its own, which both print."""
    receivers = [Program(stack, path, "sub", sub_uri, "Temp:é", "Other") for path in paths]
    for receiver in receivers:
        receiver.read_until("ready confirmed\n")
    for number, path in enumerate(paths):
        line = f"Temp\té.{number}\ta161610{number}\n"
        publisher = Program(stack, path, "pub", pub_uri)
        publisher.read_until("ready\n")
        publisher.write(line)
        publisher.read_until("sent 1\n")
        for receiver in receivers:
            receiver.read_until(line)
        publisher.finish()
    for receiver in receivers:
        receiver.finish()


def drivers(stack: ExitStack, pub_uri: str, sub_uri: str, paths: list[str]) -> None:
    """Let the C driver get set points, the C++ driver readings."""
    c_driver, cpp_driver = (Program(stack, path, pub_uri, sub_uri) for path in paths)
    c_driver.read_until("got SetPoint cpp-driver\n")
    cpp_driver.read_until("got FridgeReading c-driver\n")
    for driver in (c_driver, cpp_driver):
        driver.finish()


def main() -> None:
    """Run: programs_exchange_events.py PROXY C_PEER CPP_PEER C_DRIVER CPP_DRIVER."""
    proxy_path, *paths = sys.argv[1:]
    with ExitStack() as stack:
        free = "tcp://127.0.0.1:0"
        proxy = Program(stack, proxy_path, "--pub", free, "--sub", free)
        fields = dict(field.split("=", 1) for field in proxy.read().split()[1:])
        peers(stack, fields["pub"], fields["sub"], paths[:2])
        drivers(stack, fields["pub"], fields["sub"], paths[2:])


main()
