# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Processes that publish one event each and end at once, closing nothing.

    python publishing_once.py juicebus|juice PUB_URI COUNT

They are forked before anything is opened. Prints the seconds that the slowest took to end
after its publish.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import sides
from events import Numbered

# A child's publisher, which lives until the interpreter ends.
opened: list[Any] = []


def seconds_to_end(side: sides.Side, pub_uri: str, number: int) -> float:
    """Let a child publish a number and end; return how long its end took."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        opened.append(side.publisher(pub_uri))
        opened[0].publish(Numbered(number=number))
        os.write(writing, b"published")
        sys.exit()
    os.close(writing)
    with open(reading, "rb") as lines:
        lines.read(1)
        published_at = time.monotonic()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return time.monotonic() - published_at


def main(side_name: str, pub_uri: str, count: str) -> None:
    """Let the processes publish, one after the other."""
    side = sides.side_named(side_name)
    print(max(seconds_to_end(side, pub_uri, number) for number in range(int(count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
