# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The chart docs/benchmark.svg: how many times better juicebus is, and how many it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

from results import Result
from verdict import Verdict

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  (after the choice of its backend)

MET, MISSED, TARGET = "#2a7f62", "#c8553d", "#222222"


@dataclass(frozen=True)
class Bar:
    """A ratio to a peer: above 1 juicebus is the better one."""

    label: str
    low: float
    median: float
    high: float
    target: float
    is_met: bool


def bars(results: Sequence[Result]) -> list[Bar]:
    """Return a bar for each target beside a peer whose runs succeeded."""
    return [
        _bar(f"{result.measure.title}: {judged.target.subject} : {judged.target.base}", judged)
        for result in results
        for judged in result.verdicts()
        if judged.target.base and judged.found is not None
    ]


def _bar(label: str, judged: Verdict) -> Bar:
    found, target = judged.found, judged.target
    assert found is not None
    if target.at_least is not None:
        return Bar(label, found.low, found.median, found.high, target.at_least, judged.is_met)
    assert target.at_most is not None
    # A cost: the gain is its inverse.
    return Bar(
        label, 1 / found.high, 1 / found.median, 1 / found.low, 1 / target.at_most, judged.is_met
    )


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the chart."""
    shown = bars(results)
    # The same results give the same file; text stays text.
    matplotlib.rcParams.update({"svg.hashsalt": "juicebus", "svg.fonttype": "none"})
    figure, axes = pyplot.subplots(figsize=(11, 1.2 + 0.26 * len(shown)), layout="constrained")
    for y, bar in enumerate(shown):
        colour = MET if bar.is_met else MISSED
        # From 1, where both are the same.
        axes.barh(y, bar.median - 1, left=1, color=colour, height=0.7)
        axes.plot([bar.low, bar.high], [y, y], color=TARGET, linewidth=1)
        axes.plot([bar.target] * 2, [y - 0.45, y + 0.45], color=TARGET, linewidth=2)
        axes.annotate(
            f"{bar.median:.2g} ×" if bar.median < 10 else f"{bar.median:.0f} ×",
            (max(bar.median, bar.high, bar.target, 1), y),
            xytext=(4, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.axvline(1, color=TARGET, linewidth=0.8)
    axes.set_yticks(range(len(shown)), [bar.label for bar in shown], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.01)
    axes.xaxis.set_major_formatter("{x:g} ×")
    figure.suptitle(
        "How many times better the first is than the second: 2 × is half the cost, or twice "
        "the rate.\nThick mark: target, met (green) or missed (red). Thin line: from the least "
        "to the greatest of the rounds.",
        fontsize=9,
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
