# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Importing the package costs a program only what it uses, and every name is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import juicebus
from juicebus._library import library


def printed(program: str, *arguments: str) -> str:
    """Return what a program prints in a fresh interpreter."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


BLOCKING = """
import sys, juicebus
class Probe(juicebus.Event):
    number: int
with juicebus.SubscriberBlocking(sys.argv[2]) as subscriber:
    with juicebus.PublisherBlocking(sys.argv[1]) as publisher:
        subscriber.subscribe(Probe)
        subscriber.ready(60)
        publisher.publish(Probe(number=7))
        publisher.publish_many([Probe(number=8)])
        publisher.flush(60)
        print(subscriber.get(60).number, subscriber.get_many(1, 60)[0].number)
        print(subscriber.stats().events, publisher.stats().events)
        print(next(subscriber.notices()).kind.name, next(publisher.notices()).kind.name)
print([name for name in ("asyncio", "logging", "ssl") if name in sys.modules])
"""


def test_the_blocking_twins_import_neither_asyncio_nor_logging(proxy: juicebus.Proxy) -> None:
    lines = printed(BLOCKING, proxy.pub_uri, proxy.sub_uri).splitlines()
    assert lines == ["7 8", "2 2", "CONNECTED CONNECTED", "[]"]


def test_the_version_is_the_librarys() -> None:
    assert juicebus.__version__ == library().juicebus_version().decode()


def test_a_star_import_brings_every_public_name() -> None:
    program = "import juicebus; from juicebus import *; print(set(juicebus.__all__) - set(dir()))"
    assert printed(program) == "set()\n"


def test_dir_tells_of_names_that_are_imported_later_once() -> None:
    program = (
        "import juicebus; before = dir(juicebus); juicebus.Proxy; after = dir(juicebus)\n"
        "print(set(juicebus.__all__) - set(before), len(after) - len(set(after)))"
    )
    assert printed(program) == "set() 0\n"


@pytest.mark.parametrize("name", ["Publisher", "PublisherAsync", "Subscriber", "SubscriberAsync"])
def test_a_name_that_is_imported_later_is_that_of_aio(name: str) -> None:
    program = f"import juicebus; print(juicebus.{name} is juicebus.aio.{name} is juicebus.{name})"
    assert printed(program) == "True\n"


def test_the_submodules_of_the_twins_need_no_import_of_their_own() -> None:
    program = "import juicebus; print(juicebus.aio.__name__, juicebus.blocking.__name__)"
    assert printed(program) == "juicebus.aio juicebus.blocking\n"


def test_an_unknown_name_is_an_attribute_error_that_says_so() -> None:
    with pytest.raises(AttributeError, match="module 'juicebus' has no attribute 'Nothing'"):
        _ = juicebus.Nothing  # type: ignore[attr-defined]
