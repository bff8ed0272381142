# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""NULL, random, stale and double-closed handles, in every function of the C ABI."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from c_program import ROOT, c_program, figures_of

pytestmark = pytest.mark.fault(13)

CALLS = 10_000_000


def test_random_calls_give_a_status_and_never_a_crash(
    record_property: Callable[[str, object], None],
) -> None:
    for figure in figures_of([c_program("random_calls_give_a_status_c11"), str(CALLS)]):
        record_property("figure", figure)


def test_the_random_calls_leave_no_function_out() -> None:
    header = (ROOT / "include" / "juicebus.h").read_text(encoding="utf-8")
    program = (ROOT / "tests" / "capi" / "random_calls_give_a_status.c").read_text(encoding="utf-8")
    functions = re.findall(r"^[a-z].*?\b(juicebus_\w+)\(", header, re.MULTILINE)
    assert len(functions) >= 40
    assert [name for name in functions if f"{name}(" not in program] == []
