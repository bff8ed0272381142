# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Results as text, and as the value that docs/benchmark.json holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from results import Result
from verdict import Figures, Spread, Verdict, spread


def number(value: float) -> str:
    """Return a figure with three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= 10 else 2 if abs(value) >= 0.01 else 4}f}"


def with_extremes(found: Spread | None) -> str:
    """Return a median, and what it lies between."""
    if found is None:
        return "failed"
    return f"{number(found.median)} ({number(found.low)}–{number(found.high)})"


def figure(figures: Figures) -> str:
    """Return the median of a peer's figures with its extremes, and how many runs failed."""
    failed = sum(one is None for one in figures)
    note = f", {failed} of {len(figures)} runs failed" if failed else ""
    return with_extremes(spread(figures)) + note


def asked(judged: Verdict, unit: str) -> str:
    """Return what a target asks for."""
    target = judged.target
    limits = (("≥", target.at_least), ("≤", target.at_most))
    unit_or_times = "×" if target.base else unit
    return " ".join(
        f"{sign} {limit:g} {unit_or_times}" for sign, limit in limits if limit is not None
    )


def outcome(judged: Verdict) -> str:
    """Return the verdict in a word."""
    return "met" if judged.is_met else "missed"


def table(results: Sequence[Result]) -> str:
    """Return the figures and verdicts for a terminal."""
    lines = []
    for result in results:
        measure = result.measure
        lines.append(f"\n{measure.title} [{measure.unit}]  ({measure.name})")
        for peer, figures in result.figures.items():
            lines.append(f"  {peer:34} {figure(figures)}")
        for judged in result.verdicts():
            beside = f" : {judged.target.base}" if judged.target.base else ""
            lines.append(
                f"  → {judged.target.subject + beside:44} {with_extremes(judged.found):24} "
                f"{asked(judged, measure.unit):22} {outcome(judged)}"
            )
    judged_all = [judged for result in results for judged in result.verdicts()]
    met = sum(judged.is_met for judged in judged_all)
    return "\n".join([*lines, f"\n{met} of {len(judged_all)} targets met"])


def to_json(facts: dict[str, Any], results: Iterable[Result]) -> str:
    """Return everything that was found, each round's figure too."""
    rows = [
        {
            "name": result.measure.name,
            "title": result.measure.title,
            "how": result.measure.how,
            "unit": result.measure.unit,
            "more_is_better": result.measure.more_is_better,
            "figures": result.figures,
            "targets": [_target_value(judged) for judged in result.verdicts()],
        }
        for result in results
    ]
    return json.dumps({**facts, "measures": rows}, indent=1, ensure_ascii=False) + "\n"


def _target_value(judged: Verdict) -> dict[str, Any]:
    target, found = judged.target, judged.found
    limits = {"at_least": target.at_least, "at_most": target.at_most}
    return {
        "subject": target.subject,
        "base": target.base,
        **{name: limit for name, limit in limits.items() if limit is not None},
        "found": None if found is None else [found.low, found.median, found.high],
        "met": judged.is_met,
    }
