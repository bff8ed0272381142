# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The page docs/benchmark.md, from the results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from report import asked, figure, outcome, with_extremes
from results import Result

TOP = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- SPDX-FileCopyrightText: The juicebus authors -->
<!-- Written by `make bench`; do not edit. -->

# juicebus beside its peers

```sh
make bench            # all of this, within a quarter of an hour
make bench B=NAME     # one measure, printed only
```

All peers of a measure run in turn, round by round. Figures are medians over {rounds} rounds, with
the least and the greatest; a ratio is the median of the rounds' own ratios. The event is the
same everywhere: 130 bytes of JSON, or the same fields in CBOR. CPU time is that of whole
processes, all threads, user and system. A run in which an event is lost has
failed, and is left out of the peer's figures. Machines are
noisy and unlike: only ratios mean something elsewhere.

With a target ≥ a ratio is a gain: how many times better the first is. With ≤ it is a cost: how
many times as much the first needs. The chart shows all as gains. The targets were set before
anything was built; [speed.md](speed.md) says what stands in the way of those that are missed.

![Ratios of juicebus to its peers](benchmark.svg)

"""


def page(facts: dict[str, Any], results: Sequence[Result]) -> str:
    """Return the page."""
    parts = [TOP.format(rounds=facts["rounds"]), "## Targets\n\n", _targets(results)]
    parts.append("\n## Figures\n\n")
    for result in results:
        parts.append(_figures(result))
    parts.append("## Where\n\n" + _facts(facts))
    return "".join(parts)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _targets(results: Sequence[Result]) -> str:
    rows = [
        _row("measure", "who", "found", "target", ""),
        _row("---", "---", "---:", "---:", "---"),
    ]
    for result in results:
        for judged in result.verdicts():
            target = judged.target
            who = f"{target.subject} : {target.base}" if target.base else target.subject
            unit = " ×" if target.base else f" {result.measure.unit}"
            rows.append(
                _row(
                    result.measure.title,
                    who,
                    with_extremes(judged.found) + unit,
                    asked(judged, result.measure.unit),
                    outcome(judged),
                )
            )
    return "".join(rows)


def _figures(result: Result) -> str:
    measure = result.measure
    rows = [f"### {measure.title}\n\n`{measure.name}`: {measure.how}\n\n"]
    rows += [_row("", measure.unit), _row("---", "---:")]
    rows += [_row(peer, figure(values)) for peer, values in result.figures.items()]
    return "".join(rows) + "\n"


def _facts(facts: dict[str, Any]) -> str:
    machine = facts["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['date']}, commit {facts['commit']}, {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, Linux {machine['kernel']}. {versions}. Each round's "
        "figures are in [benchmark.json](benchmark.json).\n"
    )
