# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# Builds the Go library into the wheel, and copies its sources into the sdist.
# The sources are the repository's, two folders up, or in an sdist the copy that
# it carries. Their build.sh owns the flags, their juicebus.h the version.
"""Hatchling hooks: the wheel's library, the sdist's Go sources, the version."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
COPY = HERE / "go"
SOURCES = COPY if COPY.is_dir() else HERE.parents[1]
COPIED = ("go.mod", "go.sum", "core", "capi", "include")
LIBRARY = "libjuicebus.so.1"


def version() -> str:
    """Return the version that juicebus.h states."""
    header = (SOURCES / "include" / "juicebus.h").read_text(encoding="utf-8")
    match = re.search(r'^#define JUICEBUS_VERSION "(.+)"$', header, re.MULTILINE)
    if match is None:
        raise ValueError("include/juicebus.h defines no JUICEBUS_VERSION")
    return match[1]


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds what lies outside the Python package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the built library to a wheel, or the Go sources to an sdist."""
        if self.target_name == "sdist":
            for name in COPIED:
                build_data["force_include"][str(SOURCES / name)] = f"go/{name}"
        elif version != "editable":
            self.built = Path(tempfile.mkdtemp(prefix="juicebus-"))
            library = self.built / LIBRARY
            subprocess.run(["sh", str(SOURCES / "capi" / "build.sh"), str(library)], check=True)
            platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
            build_data["force_include"][str(library)] = f"juicebus/{LIBRARY}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the library's temporary folder."""
        if self.target_name == "wheel" and version != "editable":
            shutil.rmtree(self.built)
