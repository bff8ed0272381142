# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The codecs for the 130-byte event in Python, without any transport."""

from __future__ import annotations

from functools import partial

from bench import Bench
from measure import Measure, Target
from native.flow import build

PEERS = {
    "juicebus, CBOR": "juicebus-cbor",
    "juicebus, JSON": "juicebus-json",
    "pydantic, JSON": "pydantic-json",
    "cbor2 and pydantic": "cbor2",
}


def figure(of: str, form: str, bench: Bench) -> float:
    build(bench)
    found = bench.once(
        ("codec", form), lambda: bench.result("codec_cost.py", form, bench.build / "convert")
    )
    return float(found[of])


def measure(of: str, title: str, how: str) -> Measure:
    return Measure(
        name=f"codec-{of}",
        title=f"codec, {title}",
        how=how,
        unit="µs CPU/event",
        peers={peer: partial(figure, of, form) for peer, form in PEERS.items()},
        targets=(Target("juicebus, CBOR", "pydantic, JSON", at_most=1.2),),
    )


MEASURES = (
    measure(
        "write",
        "write",
        "From an event to its payload, with the library's part, which makes CBOR of MessagePack; "
        "model_dump and dumps for cbor2.",
    ),
    measure("read", "read", "From a payload to an event, validated, with the library's part."),
)
