# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""How long a call takes by some clock, of the CPU or of the wall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

MEASURED_S = 0.3
RUNS_MIN = 10


def median_s(
    clock: Callable[[], float], call: Callable[[Any], Any], argument: Any, calls: int = 1
) -> float:
    """Return the time of a call: the median of many runs of so many calls."""
    runs: list[float] = []
    until = time.perf_counter() + MEASURED_S
    while time.perf_counter() < until or len(runs) < RUNS_MIN:
        before = clock()
        for _ in range(calls):
            call(argument)
        runs.append(clock() - before)
    return statistics.median(runs) / calls
