# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Publishes an event 500 times a second, for ever, with the time it was published at.

python ticking.py URI CODEC
"""

from __future__ import annotations

import sys
import time
from itertools import count

import juicebus
from reading import SENSOR, reading_class

RATE_HZ = 500


def main(uri: str, codec: str) -> None:
    event_class = reading_class(juicebus.Event)
    publisher = juicebus.PublisherBlocking(uri, codec=codec)
    due = time.monotonic()
    for number in count():
        time.sleep(max(0.0, due - time.monotonic()))
        now_ns = time.monotonic_ns()
        publisher.publish(
            event_class(sensor=SENSOR, number=number, sent_ns=now_ns, kelvin=4.2, ohms=1043.5)
        )
        due += 1 / RATE_HZ


if __name__ == "__main__":
    main(*sys.argv[1:])
