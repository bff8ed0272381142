# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# What C and C++ projects find after make install and after cmake --install.
from __future__ import annotations

from pathlib import Path

import pytest

from tree import ROOT, run

PROGRAM = """
#include <juicebus.h>
#include <stdio.h>
int main(void) { return puts(juicebus_version()) < 0; }
"""

PROGRAM_CPP = """
#include <juicebus.hpp>
#include <cstdio>
int main() { return std::puts(juicebus_version()) < 0; }
"""

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(user C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(juicebus {version} REQUIRED)
add_executable(user_c user.c)
target_link_libraries(user_c PRIVATE juicebus::juicebus)
add_executable(user_cpp user.cpp)
target_link_libraries(user_cpp PRIVATE juicebus::juicebus)
"""


def files(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()}


def test_make_installs_these_files_and_no_others(installed: Path) -> None:
    assert files(installed) == {
        "bin/juicebus-proxy",
        "include/juicebus.h",
        "include/juicebus.hpp",
        "lib/libjuicebus.so",
        "lib/libjuicebus.so.1",
        "lib/pkgconfig/juicebus.pc",
        "lib/cmake/juicebus/juicebusConfig.cmake",
        "lib/cmake/juicebus/juicebusConfigVersion.cmake",
    }


def test_cmake_installs_what_make_installs(installed: Path, tmp_path: Path) -> None:
    run("cmake", "-S", ROOT, "-B", tmp_path / "build", f"-DCMAKE_INSTALL_PREFIX={tmp_path}/tree")
    run("cmake", "--build", tmp_path / "build")
    run("cmake", "--install", tmp_path / "build")
    assert files(tmp_path / "tree") == files(installed)
    for name in files(installed) - {"bin/juicebus-proxy", "lib/libjuicebus.so.1"}:
        ours, theirs = tmp_path / "tree" / name, installed / name
        assert ours.is_symlink() == theirs.is_symlink()
        assert ours.read_bytes() == theirs.read_bytes() or ours.is_symlink(), name


def test_pkg_config_links_a_program_that_runs(
    installed: Path, tmp_path: Path, version: str
) -> None:
    (tmp_path / "user.c").write_text(PROGRAM)
    flags = run(
        *("pkg-config", "--cflags", "--libs", "juicebus"),
        PKG_CONFIG_PATH=str(installed / "lib" / "pkgconfig"),
    ).split()
    run("cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "user.c", "-o", "user",
        *flags, cwd=tmp_path)  # fmt: skip
    assert run(tmp_path / "user", LD_LIBRARY_PATH=str(installed / "lib")).strip() == version


def test_find_package_links_c_and_cpp_programs_that_run(
    installed: Path, tmp_path: Path, version: str
) -> None:
    (tmp_path / "user.c").write_text(PROGRAM)
    (tmp_path / "user.cpp").write_text(PROGRAM_CPP)
    (tmp_path / "CMakeLists.txt").write_text(PROJECT.format(version=version))
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", tmp_path / "build")
    for program in ("user_c", "user_cpp"):
        assert run(tmp_path / "build" / program).strip() == version


def test_find_package_refuses_a_version_that_is_too_new(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(PROJECT.format(version="99.0"))
    with pytest.raises(AssertionError, match="ended with 1"):
        run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}")
