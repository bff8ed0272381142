# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Collects what the tests of the fault matrix measure, and prints the table at the end.

`make test` runs `-m "not soak"`, `make soak` runs `-m soak`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from matrix import Result, save, table
from proxy_process import ROOT, ProxyProcess

RESULTS = ROOT / "build" / "faults.json"
# Of all tests of the matrix, in this run or not.
_runs_in: dict[int, set[str]] = defaultdict(set)
_known: set[str] = set()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(row): the row of the fault matrix (matrix.py)")
    config.addinivalue_line("markers", "soak: takes long; run by make soak, not by make test")


# First: the rows of tests that -m or -k leaves out are noted too.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        where = "make soak" if item.get_closest_marker("soak") else "make test"
        for marker in item.iter_markers("fault"):
            _known.add(item.nodeid)
            _runs_in[marker.args[0]].add(where)
            item.user_properties += [("row", marker.args[0]), ("runs_in", where)]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    results = [
        _result(report)
        for outcome in ("passed", "failed", "error")
        for report in terminalreporter.stats.get(outcome, [])
        if "row" in dict(report.user_properties)
    ]
    if results:
        save(results, _known, RESULTS)
        terminalreporter.write_line(table(results, _runs_in))


def _result(report: pytest.TestReport) -> Result:
    values: dict[str, list[Any]] = defaultdict(list)
    for name, value in report.user_properties:
        values[name].append(value)
    return Result(
        row=values["row"][0],
        test=report.nodeid,
        runs_in=values["runs_in"][0],
        passed=report.passed,
        figures=values["figure"],
        juice=values["juice"],
    )


@pytest.fixture
def proxy() -> Iterator[ProxyProcess]:
    """A juicebus-proxy in a process of its own, that forwards at once."""
    with ProxyProcess.juicebus("--hold", "0") as running:
        yield running
