# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Judges figures by targets.

A ratio is the median of the rounds' own ratios, since what disturbs a machine disturbs
neighbours alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from measure import Measure, Target

# A figure for each round; None: that run failed.
Figures = Sequence[float | None]


@dataclass(frozen=True)
class Spread:
    """The median of what was found, and its extremes."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """A target, what was found instead, and whether that is good enough."""

    target: Target
    found: Spread | None
    is_met: bool


def spread(figures: Figures) -> Spread | None:
    """Return the spread of the figures of runs that did not fail; None if all did."""
    known = [figure for figure in figures if figure is not None]
    if not known:
        return None
    return Spread(statistics.median(known), min(known), max(known))


def verdict(measure: Measure, target: Target, figures: Mapping[str, Figures]) -> Verdict:
    """Judge one target of a measure: a failed run of the subject misses it.

    One of what it is compared with, which may lose events, is left out.
    """
    found = spread(_values(measure, target, figures))
    if found is None or None in figures[target.subject]:
        return Verdict(target, None, False)
    is_met = (target.at_least is None or found.median >= target.at_least) and (
        target.at_most is None or found.median <= target.at_most
    )
    return Verdict(target, found, is_met)


def _values(measure: Measure, target: Target, figures: Mapping[str, Figures]) -> Figures:
    """Return what is compared with the target's limits, for each round."""
    subject = figures[target.subject]
    if not target.base:
        return subject
    is_less_better = target.at_least is not None and not measure.more_is_better
    return [
        None if one is None or other is None else other / one if is_less_better else one / other
        for one, other in zip(subject, figures[target.base], strict=True)
    ]
