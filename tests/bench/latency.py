# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures how long an event is under way, beside today's Juice in the same run.

One publisher sends a small event 500 times a second through juicebus-proxy; one
subscriber at a time receives it, in turn juicebus's and Juice's of the same kind, each in
a process of its own. What is measured is the time from before `publish` to the return of
`get`, decoded. Printed are medians over the rounds and their ratio; machines are noisy, so
only the ratio says something.

    build/venv/bin/python tests/bench/latency.py [--rounds 5] [--events 1500]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 500
WARM_UP_EVENTS = 200


def event_class(kind: str) -> type[Any]:
    """Return the event class, of Juice's or of juicebus's Event."""
    if kind == "juice":
        from orangeqs.juice.messaging import Event
    else:
        from juicebus import Event  # type: ignore[assignment]

    class Tick(Event):  # type: ignore[misc,valid-type]
        measurement: ClassVar[str] = "tick"
        sent_ns: int
        value: float

    return Tick


def publish(uri: str, codec: str) -> None:
    """Publish at a steady rate until standard input ends."""
    import os
    import select

    import juicebus

    tick = event_class("juicebus")
    with juicebus.PublisherBlocking(uri, codec=codec) as publisher:
        due = time.monotonic()
        while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            publisher.publish(tick(sent_ns=time.monotonic_ns(), value=1.5))
            due += 1 / RATE_HZ
    os.close(0)


def cpu_s() -> float:
    """Return the CPU time that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def receive_blocking(kind: str, uri: str, count: int) -> tuple[list[int], float]:
    """Return the nanoseconds that each event was under way, and the CPU time of all."""
    if kind == "juice":
        from orangeqs.juice.messaging.zmq import ZMQSubscriberBlocking as Subscriber
    else:
        from juicebus import SubscriberBlocking as Subscriber  # type: ignore[assignment]
    subscriber: Any = Subscriber(uri)
    subscriber.subscribe(event_class(kind))
    for _ in range(WARM_UP_EVENTS):
        subscriber.get(timeout=10)
    taken, before = [], cpu_s()
    for _ in range(count):
        event = subscriber.get(timeout=10)
        taken.append(time.monotonic_ns() - event.sent_ns)
    return taken, cpu_s() - before


def receive_async(kind: str, uri: str, count: int) -> tuple[list[int], float]:
    """Do the same in an event loop."""
    if kind == "juice":
        from orangeqs.juice.messaging.zmq import ZMQSubscriberAsync as Subscriber
    else:
        from juicebus import SubscriberAsync as Subscriber  # type: ignore[assignment]

    async def run() -> tuple[list[int], float]:
        subscriber: Any = Subscriber(uri)
        subscriber.subscribe(event_class(kind))
        for _ in range(WARM_UP_EVENTS):
            await subscriber.get(timeout=10)
        taken, before = [], cpu_s()
        for _ in range(count):
            event = await subscriber.get(timeout=10)
            taken.append(time.monotonic_ns() - event.sent_ns)
        return taken, cpu_s() - before

    return asyncio.run(run())


def subscribe(kind: str, twin: str, uri: str, count: int) -> None:
    """Receive, and print what was measured."""
    receive = receive_async if twin == "async" else receive_blocking
    taken, cpu = receive(kind, uri, count)
    print(json.dumps({"p50": statistics.median(taken) / 1e3, "cpu": cpu / count * 1e6}))


def measure(arguments: argparse.Namespace) -> None:
    """Run all pairs, round by round, and print the table."""
    proxy = subprocess.Popen(
        [
            ROOT / "build/bin/juicebus-proxy",
            "--pub",
            "tcp://127.0.0.1:0",
            "--sub",
            "tcp://127.0.0.1:0",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert proxy.stdout is not None
    _, pub, sub = proxy.stdout.readline().split()
    pub, sub = pub.removeprefix("pub="), sub.removeprefix("sub=")
    cells = [
        (t, k, c)
        for t in ("blocking", "async")
        for k, c in (("juicebus", "json"), ("juicebus", "cbor"), ("juice", "json"))
    ]
    results: dict[tuple[str, str, str], list[dict[str, float]]] = {cell: [] for cell in cells}
    try:
        for _ in range(arguments.rounds):
            for twin, kind, codec in cells:
                publisher = subprocess.Popen(
                    [sys.executable, __file__, "pub", pub, codec], stdin=subprocess.PIPE
                )
                out = subprocess.run(
                    [sys.executable, __file__, "sub", kind, twin, sub, str(arguments.events)],
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                assert publisher.stdin is not None
                publisher.stdin.close()
                publisher.wait()
                results[twin, kind, codec].append(json.loads(out.stdout))
    finally:
        proxy.terminate()
        proxy.wait()
    report(results)


def report(results: dict[tuple[str, str, str], list[dict[str, float]]]) -> None:
    """Print one line per subscriber; the ratio is the median of the rounds' ratios."""
    print(f"{'twin':9} {'subscriber':10} {'codec':5} {'p50':>8} {'ratio':>6} {'cpu/event':>10}")
    for (twin, kind, codec), rounds in results.items():
        base = results[twin, "juice", "json"]
        p50 = statistics.median(r["p50"] for r in rounds)
        cpu = statistics.median(r["cpu"] for r in rounds)
        ratio = statistics.median(r["p50"] / b["p50"] for r, b in zip(rounds, base, strict=True))
        print(f"{twin:9} {kind:10} {codec:5} {p50:5.0f} us {ratio:6.2f} {cpu:7.0f} us")


def main() -> None:
    """Measure, or be one of the processes that do."""
    if sys.argv[1:2] == ["pub"]:
        publish(sys.argv[2], sys.argv[3])
    elif sys.argv[1:2] == ["sub"]:
        subscribe(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--events", type=int, default=1500)
        measure(parser.parse_args())


if __name__ == "__main__":
    main()
