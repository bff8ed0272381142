# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Runs measures round by round, and keeps every figure. next: verdict.py, report.py"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench import Bench
from measure import Measure
from verdict import Verdict, verdict


@dataclass
class Result:
    """A measure, and the figure of each peer in each round; None: that run failed."""

    measure: Measure
    figures: dict[str, list[float | None]] = field(default_factory=dict)

    def verdicts(self) -> list[Verdict]:
        """Judge the targets."""
        return [verdict(self.measure, target, self.figures) for target in self.measure.targets]


def run(measures: Sequence[Measure], rounds: int) -> list[Result]:
    """Run all peers of all measures once a round, so that noise meets all of them alike."""
    results = [Result(measure, {peer: [] for peer in measure.peers}) for measure in measures]
    bench = Bench()
    began = time.monotonic()
    for number in range(1, rounds + 1):
        bench.new_round()
        for result in results:
            name = result.measure.name
            print(
                f"{time.monotonic() - began:4.0f} s  round {number} of {rounds}: {name}",
                file=sys.stderr,
                flush=True,
            )
            for peer, figure_of in result.measure.peers.items():
                result.figures[peer].append(_figure(f"{name}, {peer}", figure_of, bench))
    return results


def _figure(what: str, figure_of: Callable[[Bench], float], bench: Bench) -> float | None:
    try:
        return figure_of(bench)
    except Exception as error:
        # The other figures are worth having; the target of this one is missed.
        print(f"{what}: {error}", file=sys.stderr, flush=True)
        return None
