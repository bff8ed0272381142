# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""An event with an array of 100,000 floats."""

from __future__ import annotations

from functools import partial
from typing import Any

from bench import Bench
from measure import Measure, Target

PEERS = {"juicebus": "juicebus", "Juice": "juice"}
HOW = "One event, with a NumPy array in CBOR (juicebus) or a list in JSON (Juice); "


def figure(of: str, peer: str, bench: Bench) -> float:
    def run() -> Any:
        with bench.broker(PEERS[peer]) as uris:
            return bench.result("arrays.py", PEERS[peer], *uris)

    return float(bench.once(("arrays", peer), run)[of])


def measure(of: str, title: str, how: str, unit: str, target: Target) -> Measure:
    return Measure(
        name=f"array-{of}",
        title=f"100,000 floats, {title}",
        how=HOW + how,
        unit=unit,
        peers={peer: partial(figure, of, peer) for peer in PEERS},
        targets=(target,),
    )


GAIN_OF_50 = Target("juicebus", "Juice", at_least=50)
MEASURES = (
    measure("write", "write", "the codec alone.", "ms CPU", GAIN_OF_50),
    measure(
        "read",
        "read",
        "the codec alone. NumPy makes no copy of what the codec read.",
        "ms CPU",
        GAIN_OF_50,
    ),
    measure("size", "size", "the payload.", "MB", Target("juicebus", at_most=0.81)),
    measure(
        "way",
        "whole way",
        "from publish to get in one process, through each one's own proxy.",
        "ms",
        Target("juicebus", "Juice", at_least=10),
    ),
)
