# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# What the tests of this folder look at: the stated version, the wheel that make
# built, and a tree that `make install` filled.
from __future__ import annotations

from pathlib import Path

import pytest

from tree import ROOT, run


@pytest.fixture(scope="session")
def version() -> str:
    """The version, from the place that owns it."""
    for line in (ROOT / "include" / "juicebus.h").read_text().splitlines():
        if line.startswith("#define JUICEBUS_VERSION "):
            return line.split('"')[1]
    raise AssertionError("juicebus.h states no version")


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel that make built."""
    (path,) = (ROOT / "build" / "wheel").glob("*.whl")
    return path


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that make installed under another root, then moved: it must not matter."""
    staging = tmp_path_factory.mktemp("staging")
    run("make", "install", f"DESTDIR={staging}", "PREFIX=/opt/juicebus")
    return (staging / "opt" / "juicebus").rename(staging / "moved")
