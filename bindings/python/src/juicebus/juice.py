# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# Makes an existing Juice service use juicebus. Wherever a module holds one of
# Juice's ZMQ classes as an attribute, install() puts ours, from
# _juice_classes.py, in its place, and uninstall() puts Juice's back. Importing
# this module imports nothing of Juice.
"""Replace Juice's ZMQ publishers, subscribers and proxy by those of juicebus."""

from __future__ import annotations

import os
import sys
import warnings
from types import ModuleType
from typing import Any

from juicebus import _library

__all__ = ["install", "uninstall"]

# Juice's class -> ours; empty before the first install().
_replacements: dict[type[Any], type[Any]] = {}
_installed = False


def install(codec: str = "json") -> None:
    """Replace Juice's ZMQ classes, in modules imported before and afterwards.

    `orangeqs.juice.messaging.zmq.ZMQSubscriberAsync` and its five siblings, and
    `ZMQProxy`, become subclasses of juicebus's classes. Objects that exist
    already, and classes that somebody derived already, stay Juice's. A second
    call changes nothing but the codec. What is published while there is no proxy
    waits in the publisher's queue, where Juice's waits 5 s and then loses it. In
    a child of `os.fork()` the original classes are back, with one warning, if the
    library was in use before.

    Does not block. Call it from one thread, best at the program's start; it
    imports `orangeqs.juice.messaging`, which can take a second.

    Args:
        codec: what the publishers write. "json", the event's own `to_msg()`,
            can be read by every service; "cbor" by juicebus subscribers only.

    Raises:
        ValueError: no such codec.
        ImportError: Juice is not installed.
    """
    global _installed
    if codec not in ("json", "cbor"):
        raise ValueError(
            f'install juicebus for Juice: codec {codec!r} is neither "json" nor "cbor"'
        )
    from juicebus import _juice_classes

    _juice_classes.codec = codec
    if not _replacements:
        os.register_at_fork(after_in_child=_after_fork)
    _replacements.update(_juice_classes.replacements())
    _swap(_replacements)
    _installed = True


def uninstall() -> None:
    """Put Juice's own classes back wherever install() or an import put ours.

    Objects that exist already go on working, and classes derived meanwhile stay
    derived from ours. Without an install() before, does nothing. Does not
    block; same thread rule as install().
    """
    global _installed
    _swap({ours: original for original, ours in _replacements.items()})
    _installed = False


def _swap(new_by_old: dict[type[Any], type[Any]]) -> None:
    """Replace the classes wherever they are a module's attribute, except in our own."""
    new_by_id = {id(old): new for old, new in new_by_old.items()}
    for module_name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or module_name == f"{__package__}._juice_classes":
            continue
        # A lazily loaded module loads itself when it is asked in the usual way.
        attributes = object.__getattribute__(module, "__dict__")
        for name, value in list(attributes.items()):
            if id(value) in new_by_id:
                attributes[name] = new_by_id[id(value)]


def _after_fork() -> None:
    """Give a forked child classes that work there: the loaded library does not."""
    if _installed and _library.is_loaded():
        uninstall()
        warnings.warn(
            "juicebus cannot be used in this forked child: Juice's own ZMQ classes are back; "
            'start processes with "spawn" or "forkserver" to use juicebus in them',
            RuntimeWarning,
            stacklevel=2,
        )
