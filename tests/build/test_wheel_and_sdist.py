# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# What pip gets: the wheel's tag and files, and an sdist that needs no repository.
from __future__ import annotations

import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

from tree import ROOT, run


def test_wheel_is_for_any_python_3_on_this_platform(wheel: Path) -> None:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name.endswith(f"-py3-none-{platform}.whl")


def test_wheel_carries_library_types_hook_and_licence(wheel: Path, version: str) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= {
        "juicebus/libjuicebus.so.1",
        "juicebus/py.typed",
        "juicebus/juice.py",
        "juicebus_replace_juice.pth",
        "juicebus_replace_juice.py",
        f"juicebus-{version}.dist-info/licenses/LICENSE",
    }
    tops = {name.split("/")[0] for name in names}
    assert tops == {
        "juicebus",
        f"juicebus-{version}.dist-info",
        "juicebus_replace_juice.pth",
        "juicebus_replace_juice.py",
    }


def test_sdist_builds_the_same_wheel_outside_the_repository(wheel: Path, tmp_path: Path) -> None:
    python = ROOT / "bindings" / "python"
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", tmp_path, python)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "alone", filter="data")
    (source,) = (tmp_path / "alone").iterdir()
    run(
        *(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"),
        *("-w", tmp_path / "wheel", source),
        cwd=tmp_path,
    )
    built = tmp_path / "wheel" / wheel.name
    assert set(zipfile.ZipFile(built).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_package_bears_the_licence_of_the_repository() -> None:
    licence = (ROOT / "LICENSE").read_bytes()
    assert (ROOT / "bindings" / "python" / "LICENSE").read_bytes() == licence
