# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What most tests need: a proxy on free ports, and the two twins behind one face."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import juicebus
from twins import Twin


@pytest.fixture
def proxy() -> Iterator[juicebus.Proxy]:
    """A proxy that forwards at once."""
    with juicebus.Proxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", hold=0) as running:
        yield running


@pytest.fixture(params=["blocking", "aio"])
def twin(request: pytest.FixtureRequest, proxy: juicebus.Proxy) -> Iterator[Twin]:
    """Each of the twins, in turn."""
    with Twin(request.param, proxy) as made:
        yield made
