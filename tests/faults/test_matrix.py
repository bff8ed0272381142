# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The table itself: no row is without a test, and it does not hide what failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from matrix import ROWS, Result, save, table


def test_every_row_has_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert set(map(int, re.findall(r"pytest\.mark\.fault\((\d+)", tests))) == set(ROWS)


def test_the_table_names_each_test_that_failed_beside_the_figures() -> None:
    results = [
        Result(3, "test_03.py::test_good", "make test", True, ["told after 3.1 s"]),
        Result(3, "test_03.py::test_bad", "make test", False),
        Result(4, "test_04.py::test_good", "make soak", True, juice=["lost 7, says nothing"]),
    ]
    text = table(results, {3: {"make test"}, 4: {"make soak"}})
    third, fourth = text.split("\n--")[1:3]
    assert "FAILED test_bad" in third and "told after 3.1 s" in third
    assert " ok " not in third
    assert " ok " in fourth and "lost 7, says nothing" in fourth and "make soak" in fourth


def test_results_of_other_runs_are_kept_as_long_as_their_tests_are_there(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    before = [
        Result(18, "soak", "make soak", True),
        Result(1, "kill", "make test", False),
        Result(1, "old name", "make test", True),
    ]
    save(before, {"soak", "kill", "old name"}, file)
    save([Result(1, "kill", "make test", True)], {"soak", "kill"}, file)
    kept = json.loads(file.read_text())
    assert {test: each["passed"] for test, each in kept.items()} == {"soak": True, "kill": True}
