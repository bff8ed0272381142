# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
from __future__ import annotations

import pytest

from measure import Measure, Target
from verdict import verdict

LESS_IS_BETTER = Measure("cost", "", "", "µs", {}, ())
MORE_IS_BETTER = Measure("rate", "", "", "events/s", {}, (), more_is_better=True)


def found(measure: Measure, target: Target, ours: list[float | None]) -> tuple[float, bool]:
    judged = verdict(measure, target, {"ours": ours, "theirs": [10.0, 20.0, 90.0]})
    assert judged.found is not None
    return judged.found.median, judged.is_met


def test_a_gain_is_the_median_of_the_rounds_own_ratios() -> None:
    target = Target("ours", "theirs", at_least=2)
    assert found(LESS_IS_BETTER, target, [5.0, 20.0, 3.0]) == (2.0, True)


def test_a_gain_counts_upwards_where_more_is_better() -> None:
    target = Target("ours", "theirs", at_least=2)
    assert found(MORE_IS_BETTER, target, [10.0, 30.0, 900.0]) == (1.5, False)


@pytest.mark.parametrize("measure", [LESS_IS_BETTER, MORE_IS_BETTER])
def test_a_cost_is_ours_over_theirs(measure: Measure) -> None:
    target = Target("ours", "theirs", at_most=1.2)
    assert found(measure, target, [11.0, 22.0, 90.0]) == (1.1, True)
    assert found(measure, target, [13.0, 26.0, 90.0]) == (1.3, False)


def test_without_a_base_the_figure_itself_is_judged() -> None:
    assert found(LESS_IS_BETTER, Target("ours", at_most=6), [5.0, 7.0, 6.0]) == (6.0, True)


def test_a_run_that_failed_misses_the_target() -> None:
    figures: dict[str, list[float | None]] = {
        "ours": [1.0, None, 1.0],
        "theirs": [10.0, 10.0, 10.0],
    }
    judged = verdict(LESS_IS_BETTER, Target("ours", "theirs", at_least=2), figures)
    assert (judged.found, judged.is_met) == (None, False)


def test_a_run_of_a_peer_that_failed_is_left_out() -> None:
    figures: dict[str, list[float | None]] = {
        "ours": [1.0, 1.0, 1.0],
        "theirs": [10.0, None, 10.0],
    }
    judged = verdict(LESS_IS_BETTER, Target("ours", "theirs", at_least=2), figures)
    assert judged.found is not None and judged.is_met
    assert judged.found.median == 10.0
