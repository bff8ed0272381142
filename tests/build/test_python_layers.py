# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# The Python package's imports go one way: the twins know the shared modules and
# not each other, and nothing but the Juice drop-in knows Juice.
from __future__ import annotations

import ast

from tree import ROOT

PACKAGE = ROOT / "bindings" / "python" / "src" / "juicebus"


def imported(name: str) -> set[str]:
    """Every name that a module's import statements mention, wherever they stand."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
            names.update(alias.name for alias in node.names)
    return {part for name in names for part in name.split(".")}


MODULES = {path.stem for path in PACKAGE.glob("*.py")}
ASYNC = {name for name in MODULES if name == "aio" or name.endswith("_async")}
BLOCKING = {name for name in MODULES if name == "blocking" or name.endswith("_blocking")}
# These two are for users and for the drop-in: they gather both twins.
GATHERING = {"__init__", "_juice_classes"}


def test_twins_do_not_import_each_other() -> None:
    assert {name for name in ASYNC if imported(name) & BLOCKING} == set()
    assert {name for name in BLOCKING if imported(name) & ASYNC} == set()


def test_shared_modules_import_neither_twin() -> None:
    shared = MODULES - ASYNC - BLOCKING - GATHERING
    assert {name for name in shared if imported(name) & (ASYNC | BLOCKING)} == set()


def test_only_the_drop_in_imports_juice() -> None:
    importers = {name for name in MODULES if "orangeqs" in imported(name)}
    assert importers == {"_juice_classes"}
