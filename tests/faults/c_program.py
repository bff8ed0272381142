# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Runs a test that is a program of its own, in C or Go, and reads what it measured.

Such a program prints a line `fault {"row": 13, "figure": "…"}`. The C programs are those
that ctest runs (tests/capi); the tests of rows 8, 13, 14 and 17 are next.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300.0


def figures_of(command: Sequence[str]) -> list[str]:
    """Run a program and return its figures; it must succeed and have some."""
    done = subprocess.run(
        command, cwd=ROOT, timeout=TIMEOUT_S, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    measured = [line for line in done.stdout.splitlines() if line.startswith("fault ")]
    figures: list[str] = [json.loads(line.removeprefix("fault "))["figure"] for line in measured]
    assert figures, done.stdout + done.stderr
    return figures


def c_program(name: str) -> str:
    """Return the path of a program of tests/capi."""
    return str(ROOT / "build" / "cmake" / "tests" / "capi" / name)
