# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What a result depends on: the machine, the commit, and the versions of everything."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import zmq

PACKAGES = (
    "juicebus",
    "orangeqs-juice-core",
    "pyzmq",
    "eclipse-zenoh",
    "nats-py",
    "pydantic",
    "cbor2",
    "numpy",
)


def machine() -> dict[str, str | int]:
    """Return what the machine is."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "kernel": platform.release(),
    }


def versions(nats_server: str) -> dict[str, str]:
    """Return the versions of all that takes part."""
    return {
        "Python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "libzmq (system)": _said("pkg-config", "--modversion", "libzmq"),
        "libzmq (pyzmq)": zmq.zmq_version(),
        "nats-server": _said(nats_server, "--version").split()[-1].removeprefix("v"),
        "Go": _said("go", "env", "GOVERSION").removeprefix("go"),
    }


def commit(root: Path) -> str:
    """Return the commit that is measured, and whether there were changes on top."""
    git = ("git", "-C", str(root))
    is_changed = _said(*git, "status", "--porcelain", "--untracked-files=no")
    return _said(*git, "rev-parse", "HEAD") + (" with changes" if is_changed else "")


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
