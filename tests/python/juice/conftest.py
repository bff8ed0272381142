# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# The real Juice, with and without juicebus in it, beside proxies of both kinds.
from __future__ import annotations

from collections.abc import Iterator

import pytest
from orangeqs.juice.schemas.task_manager import TaskManagerConnectionInfo

import juicebus.juice
from fleet import proxy_process


@pytest.fixture
def installed() -> Iterator[None]:
    """Juice with juicebus's classes in it."""
    juicebus.juice.install()
    yield
    juicebus.juice.uninstall()


@pytest.fixture(scope="session")
def juice_proxy() -> Iterator[TaskManagerConnectionInfo]:
    """Juice's own proxy."""
    with proxy_process(replaced=False) as info:
        yield info


@pytest.fixture(scope="session", params=["juice", "juicebus"])
def proxy(request: pytest.FixtureRequest) -> Iterator[TaskManagerConnectionInfo]:
    """Juice's own proxy, then ours in its place."""
    with proxy_process(replaced=request.param == "juicebus") as info:
        yield info
