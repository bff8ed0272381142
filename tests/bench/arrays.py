# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures an event with an array of 100,000 floats: its codec, and its whole way.

    python arrays.py juicebus|juice PUB_URI SUB_URI

juicebus has a NumPy array in it, in CBOR; Juice has a list, in JSON. Prints milliseconds of
CPU time to write and to read it, its size in MB, and milliseconds from publish to get.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from pydantic import ConfigDict

from timing import median_s

FLOATS = 100_000
TIMEOUT_S = 0.1
DATA = np.random.default_rng(1).normal(size=FLOATS)


def of_juicebus() -> tuple[Any, Any, Any, Callable[[Any], bytes], Callable[[bytes], Any]]:
    """Return the classes, the event, and how it is written and read."""
    import juicebus
    from juicebus._abi import FORMAT_CBOR
    from juicebus._codec import encode, plan_for

    class Trace(juicebus.Event):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        data: np.ndarray

    plan = plan_for(Trace)

    def read(payload: bytes) -> Any:
        return plan.readers[FORMAT_CBOR](payload)

    return (
        juicebus.PublisherBlocking,
        juicebus.SubscriberBlocking,
        Trace(data=DATA),
        lambda event: encode(plan, "cbor", event)[0],
        read,
    )


def of_juice() -> tuple[Any, Any, Any, Callable[[Any], bytes], Callable[[bytes], Any]]:
    """Return the same of Juice."""
    from orangeqs.juice.messaging import Event
    from orangeqs.juice.messaging.zmq import ZMQPublisherBlocking, ZMQSubscriberBlocking

    class Trace(Event):
        measurement: ClassVar[str] = "trace"
        data: list[float]

    return (
        ZMQPublisherBlocking,
        ZMQSubscriberBlocking,
        Trace(data=DATA.tolist()),
        lambda event: event.to_msg()[0],
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
    payload = write(event)
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

    def there(event: Any) -> None:
        publisher.publish(event)
        subscriber.get()

    figures = {
        "write": 1e3 * median_s(time.process_time, write, event),
        "read": 1e3 * median_s(time.process_time, read, payload),
        "size": len(payload) / 1e6,
        "way": 1e3 * median_s(time.perf_counter, there, event),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
