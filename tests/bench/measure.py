# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A measure: one figure that several peers are compared by, and the targets it is judged by.

Files measures_*.py export `MEASURES`, __main__.py lists the files. next: bench.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench import Bench


@dataclass(frozen=True)
class Target:
    """What a peer's figure is to be, beside another's or, without `base`, by itself.

    `at_least` asks for a gain: subject over base, or base over subject for a measure of
    which less is better. `at_most` asks for a cost: subject over base. Without a base both
    are in the measure's unit. The ratio is the median of the rounds' own ratios.
    """

    subject: str
    base: str = ""
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Measure:
    """One row of the result.

    A peer is one run that returns its figure, and raises if an event was lost that counts.
    """

    name: str  # on the command line: "throughput-blocking"
    title: str  # in the table
    how: str  # in a sentence, for the page
    unit: str  # "events/s", "µs CPU/event"
    peers: dict[str, Callable[[Bench], float]]
    targets: tuple[Target, ...]
    more_is_better: bool = False
