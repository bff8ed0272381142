# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A panic inside each export, and in housekeeping; the library is a build for that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from c_program import c_program, figures_of

pytestmark = pytest.mark.fault(14)


def test_a_panic_is_a_status_and_the_process_lives(
    record_property: Callable[[str, object], None],
) -> None:
    for figure in figures_of([c_program("panics_are_a_status")]):
        record_property("figure", figure)
