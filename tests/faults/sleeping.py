# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A subscriber that sleeps while events pass, and then takes what is left.

    python sleeping.py juicebus|juice PUB_URI SUB_URI

It prints a line when it is live, sleeps until it is told to wake, and then prints in JSON
what it received, what it says that it lost, and by how much its memory had grown.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import sides
from procfs import peak_resident_bytes, resident_bytes
from stream import Reading

# An event that has not come for so long will not come.
PATIENCE_S = 2.0


def take_all(subscriber: Any) -> int:
    """Take events until no more come; return how many came."""
    count = 0
    while events := sides.taken(subscriber, PATIENCE_S):
        count += len(events)
    return count


def main(side_name: str, pub_uri: str, sub_uri: str) -> None:
    """Sleep, wake and count."""
    side = sides.side_named(side_name)
    subscriber = side.subscriber(sub_uri)
    subscriber.subscribe(Reading)
    publisher = side.publisher(pub_uri)
    sides.until_live(publisher.publish, subscriber)
    publisher.close()
    before = resident_bytes(os.getpid())
    print("live", flush=True)
    sys.stdin.readline()
    grown = peak_resident_bytes(os.getpid()) - before
    received = take_all(subscriber)
    lost = subscriber.stats().lost if hasattr(subscriber, "stats") else None
    print(json.dumps({"received": received, "lost": lost, "grown_bytes": grown}))


if __name__ == "__main__":
    main(*sys.argv[1:])
