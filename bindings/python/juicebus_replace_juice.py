# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# JUICEBUS_REPLACE_JUICE=1: when a program imports Juice's ZMQ classes, they are
# replaced by juicebus's, with no change to its code. The .pth file beside this
# module registers the hook at interpreter start, long before anybody imports
# Juice; hence a module of its own, which imports neither juicebus nor Juice.
# Next: juicebus/juice.py.
"""Import hook that makes Juice use juicebus from its first import on."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing typing
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_TARGET = "orangeqs.juice.messaging.zmq"


class _Finder:
    """Finds Juice's zmq package by the other finders, and installs behind it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the package's spec, with a loader that calls install() at its end."""
        if name != _TARGET:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                self._install_after(spec.loader)
                return spec
        return None

    @staticmethod
    def _install_after(loader: Any) -> None:
        execute = loader.exec_module

        def execute_and_install(module: ModuleType) -> None:
            execute(module)
            import os

            from juicebus import juice

            juice.install(os.environ.get("JUICEBUS_CODEC", "json"))

        loader.exec_module = execute_and_install


def register() -> None:
    """Register the hook, once. Imports nothing and never raises."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
