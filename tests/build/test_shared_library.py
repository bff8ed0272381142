# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# The shared library, its header and the Python declarations agree: on the
# functions, on the version, and with the loader on the name.
from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from tree import ROOT, run

LIBRARY = ROOT / "build" / "lib" / "libjuicebus.so.1"


def declared() -> set[str]:
    header = (ROOT / "include" / "juicebus.h").read_text()
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return set(re.findall(r"\b(juicebus_\w+)\s*\(", code))


def exported(library: Path) -> set[str]:
    lines = run("nm", "-D", "--defined-only", library).splitlines()
    return {line.split()[-1] for line in lines}


def test_library_exports_the_functions_of_its_header_and_nothing_else() -> None:
    assert exported(LIBRARY) == declared()


def test_python_declares_the_functions_of_the_header() -> None:
    from juicebus import _abi

    assert set(_abi.FUNCTIONS) == declared()


def test_soname_bears_the_abi_version() -> None:
    header = (ROOT / "include" / "juicebus.h").read_text()
    (abi,) = re.findall(r"^#define JUICEBUS_ABI_VERSION (\d+)$", header, re.MULTILINE)
    assert f"[libjuicebus.so.{abi}]" in run("readelf", "-d", LIBRARY)


def test_library_takes_at_most_64_bytes_of_static_thread_local_storage() -> None:
    # Go has it loaded into the static block, of which a Python process with NumPy
    # and the like has so little left that 2 KiB cannot be had.
    segments = run("readelf", "-lW", LIBRARY).splitlines()
    (tls,) = (line.split() for line in segments if line.split()[:1] == ["TLS"])
    assert int(tls[5], 16) <= 64


def test_library_proxy_wheel_and_pkg_config_state_the_version_of_the_header(
    installed: Path, wheel: Path, version: str
) -> None:
    ask = (
        "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]);"
        "library.juicebus_version.restype = ctypes.c_char_p;"
        "print(library.juicebus_version().decode())"
    )
    assert run(sys.executable, "-c", ask, LIBRARY).strip() == version
    assert version in run(ROOT / "build" / "bin" / "juicebus-proxy", "--version").split()
    assert wheel.name.split("-")[1] == version
    stated = run(
        *("pkg-config", "--modversion", "juicebus"),
        PKG_CONFIG_PATH=str(installed / "lib" / "pkgconfig"),
    )
    assert stated.strip() == version


def refusal(target: Path, **environment: str) -> str:
    """What build.sh says when it does not build."""
    script = ROOT / "capi" / "build.sh"
    return run(
        "/bin/sh", "-c", 'sh "$0" "$1" 2>&1 && exit 1 || true', script, target, **environment
    )


def test_build_without_go_says_so(tmp_path: Path) -> None:
    for tool in ("sh", "dirname", "basename", "mkdir"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    assert "no go in PATH" in refusal(tmp_path / "library", PATH=str(tmp_path))


def test_build_without_a_compiler_names_it(tmp_path: Path) -> None:
    assert "no-such-cc is not in PATH" in refusal(tmp_path / "library", CC="no-such-cc")


def test_build_without_libzmq_says_what_to_install(tmp_path: Path) -> None:
    said = refusal(tmp_path / "library", PKG_CONFIG_LIBDIR="/nowhere", PKG_CONFIG_PATH="")
    assert "install libzmq3-dev" in said


def test_build_leaves_nothing_but_the_library(tmp_path: Path) -> None:
    run("sh", ROOT / "capi" / "build.sh", tmp_path / "with space" / "lib.so", cwd=tmp_path)
    assert [path.name for path in (tmp_path / "with space").iterdir()] == ["lib.so"]
