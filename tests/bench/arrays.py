# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures an event with an array of 100,000 floats: its codec, and its whole way.

    python arrays.py juicebus|juice PUB_URI SUB_URI

juicebus has a NumPy array in it, in CBOR; Juice has a list, in JSON. Prints milliseconds of
CPU time to write and to read it, its size in MB, and milliseconds from publish to get.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from pydantic import ConfigDict

FLOATS = 100_000
MEASURED_S = 0.3
TIMEOUT_S = 0.1
DATA = np.random.default_rng(1).normal(size=FLOATS)


def median_ms(clock: Callable[[], float], call: Callable[[], Any]) -> float:
    """Return how long a call takes by some clock, the median of many."""
    runs: list[float] = []
    until = time.perf_counter() + MEASURED_S
    while time.perf_counter() < until or len(runs) < 10:
        before = clock()
        call()
        runs.append((clock() - before) * 1e3)
    return statistics.median(runs)


def of_juicebus() -> tuple[Any, Any, Any, Callable[[], bytes], Callable[[bytes], Any]]:
    """Return the classes, the event, and how it is written and read."""
    import juicebus
    from juicebus._abi import FORMAT_CBOR
    from juicebus._batch import Raw
    from juicebus._codec import decode, encode, plan_for

    class Trace(juicebus.Event):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        data: np.ndarray

    plan, event = plan_for(Trace), Trace(data=DATA)

    def read(payload: bytes) -> Any:
        return decode(Trace, plan, Raw(b"Trace", b"", FORMAT_CBOR, (payload,)))

    return (
        juicebus.PublisherBlocking,
        juicebus.SubscriberBlocking,
        event,
        lambda: encode(plan, "cbor", event)[0],
        read,
    )


def of_juice() -> tuple[Any, Any, Any, Callable[[], bytes], Callable[[bytes], Any]]:
    """Return the same of Juice."""
    from orangeqs.juice.messaging import Event
    from orangeqs.juice.messaging.zmq import ZMQPublisherBlocking, ZMQSubscriberBlocking

    class Trace(Event):
        measurement: ClassVar[str] = "trace"
        data: list[float]

    event = Trace(data=DATA.tolist())
    return (
        ZMQPublisherBlocking,
        ZMQSubscriberBlocking,
        event,
        lambda: event.to_msg()[0],
        lambda payload: Trace.from_msg((payload,)),
    )


def check(data: Any) -> None:
    """Raise if it is not what was written, or if NumPy had to copy it."""
    if not np.array_equal(data, DATA):
        raise RuntimeError("the array does not come back")
    if isinstance(data, np.ndarray) and data.flags.owndata:
        raise RuntimeError("the array is a copy of what the codec read")


def main(peer: str, pub_uri: str, sub_uri: str) -> None:
    publisher_of, subscriber_of, event, write, read = (
        of_juicebus() if peer == "juicebus" else of_juice()
    )
    payload = write()
    check(read(payload).data)
    publisher, subscriber = publisher_of(pub_uri), subscriber_of(sub_uri)
    subscriber.subscribe(type(event))

    def arrives(timeout: float | None) -> bool:
        try:
            check(subscriber.get(timeout).data)
        except TimeoutError:
            return False
        return True

    # Until the subscription is live, and what was sent too often has come.
    while True:
        publisher.publish(event)
        if arrives(TIMEOUT_S):
            break
    while arrives(TIMEOUT_S):
        pass

    def there() -> None:
        publisher.publish(event)
        subscriber.get()

    figures = {
        "write": median_ms(time.process_time, write),
        "read": median_ms(time.process_time, lambda: read(payload)),
        "size": len(payload) / 1e6,
        "way": median_ms(time.perf_counter, there),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
