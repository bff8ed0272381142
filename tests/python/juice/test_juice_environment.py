# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# JUICEBUS_REPLACE_JUICE=1 and fork: what a whole process sees, so each test starts
# one.
from __future__ import annotations

import os
import subprocess
import sys

import pytest

WHOSE = "from orangeqs.juice.client import pubsub; print(pubsub.ZMQPublisherBlocking.__module__)"


def printed(code: str, **environment: str) -> list[str]:
    """The lines that a new interpreter prints when it runs the code."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_variable_replaces_juices_classes() -> None:
    assert printed(WHOSE, JUICEBUS_REPLACE_JUICE="1") == ["juicebus._juice_classes"]


@pytest.mark.parametrize("value", ["", "0", "true"])
def test_other_values_change_nothing(value: str) -> None:
    assert printed(WHOSE, JUICEBUS_REPLACE_JUICE=value) == ["orangeqs.juice.messaging.zmq._pubsub"]


def test_variable_imports_neither_juice_nor_juicebus_at_start() -> None:
    code = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    (loaded,) = printed(code, JUICEBUS_REPLACE_JUICE="1")
    assert "juicebus_replace_juice" in loaded.split()
    assert not set(loaded.split()) & {"juicebus", "orangeqs", "pydantic", "zmq", "typing"}


def test_without_the_variable_the_hook_is_not_even_imported() -> None:
    code = "import sys; print('juicebus_replace_juice' in sys.modules)"
    assert printed(code, JUICEBUS_REPLACE_JUICE="") == ["False"]


def test_variable_leaves_the_loader_of_juices_package_as_it_was() -> None:
    code = (
        "from orangeqs.juice.messaging import zmq; import inspect;"
        "print(type(zmq.__loader__).__name__, 'ZMQProxy' in inspect.getsource(zmq))"
    )
    assert printed(code, JUICEBUS_REPLACE_JUICE="1") == ["SourceFileLoader True"]


def test_uninstall_undoes_the_variable() -> None:
    code = (
        "from orangeqs.juice.client import pubsub; import juicebus.juice;"
        "juicebus.juice.uninstall(); print(pubsub.ZMQPublisherBlocking.__module__)"
    )
    expected = ["orangeqs.juice.messaging.zmq._pubsub"]
    assert printed(code, JUICEBUS_REPLACE_JUICE="1") == expected


FORK = """
import os, sys, warnings
import juicebus.juice
from orangeqs.juice.messaging import zmq
juicebus.juice.install()
if {used}:
    publisher = zmq.ZMQPublisherBlocking("tcp://127.0.0.1:9")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    child = os.fork()
    if child == 0:
        told = sum("forked child" in str(each.message) for each in caught)
        print(zmq.ZMQPublisherBlocking.__module__, told, flush=True)
        os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(zmq.ZMQPublisherBlocking.__module__)
"""


def test_forked_child_has_juices_classes_and_one_warning() -> None:
    assert printed(FORK.format(used=True)) == [
        "orangeqs.juice.messaging.zmq._pubsub 1",
        "juicebus._juice_classes",
    ]


def test_fork_before_the_library_is_used_keeps_ours() -> None:
    assert printed(FORK.format(used=False)) == [
        "juicebus._juice_classes 0",
        "juicebus._juice_classes",
    ]
