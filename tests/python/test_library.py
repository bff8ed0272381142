# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Importing the package loads nothing; loading the library says what is in its way."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path
from struct import calcsize
from typing import Any

import pytest

from juicebus import _abi, _batch, _library


def test_importing_the_package_loads_neither_the_library_nor_what_it_does_not_need() -> None:
    program = (
        "import sys, juicebus, juicebus._library as library; print(library.is_loaded(), *"
        "(name for name in ('numpy', 'zmq', 'orangeqs', 'pandas') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_publishing_does_not_import_numpy() -> None:
    program = (
        "import sys, juicebus\n"
        "class E(juicebus.Event): x: float = 1\n"
        "p = juicebus.PublisherBlocking('tcp://127.0.0.1:1')\n"
        "p.publish(E(), 0)\n"
        "print('numpy' in sys.modules)\n"
        "p.close(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def compiled(source: str, path: Path, *flags: str) -> str:
    """Compile a shared library, and return its path."""
    code = path.with_suffix(".c")
    code.write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", code, "-o", path, *flags], check=True)
    return str(path)


def refusal(path: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return why a file cannot be loaded as the library."""
    monkeypatch.setenv("JUICEBUS_LIBRARY", path)
    monkeypatch.setattr(_library, "_loaded", None)
    with pytest.raises(ImportError) as caught:
        _library.library()
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{tmp_path}/libjuicebus.so.1"
    text = refusal(path, monkeypatch)
    assert path in text
    assert "install" in text
    assert "JUICEBUS_LIBRARY" in text


def test_without_the_environment_the_file_is_the_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JUICEBUS_LIBRARY", raising=False)
    assert Path(_library._path()) == Path(_library.__file__).parent / "libjuicebus.so.1"


def test_a_file_that_is_no_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "libjuicebus.so.1"
    path.write_text("text")
    assert str(path) in refusal(str(path), monkeypatch)


def test_another_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = compiled("int other;", tmp_path / "libother.so")
    assert f"{path} is not libjuicebus" in refusal(path, monkeypatch)


def test_another_abi_is_refused_with_both_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = compiled("int juicebus_abi_version(void) { return 99; }", tmp_path / "libnew.so")
    text = refusal(path, monkeypatch)
    assert f"{path} has ABI version 99, this package needs {_abi.ABI_VERSION}" in text


def test_a_library_without_a_function_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = compiled("int juicebus_abi_version(void) { return 1; }", tmp_path / "libless.so")
    assert "has no juicebus_version" in refusal(path, monkeypatch)


def test_a_missing_libzmq_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zmq = compiled(
        "int zmq_ctx_new(void) { return 0; }",
        tmp_path / "libzmq.so.5",
        "-Wl,-soname,libzmq.so.5000",
    )
    source = "int zmq_ctx_new(void); int juicebus_abi_version(void) { return zmq_ctx_new(); }"
    path = compiled(source, tmp_path / "libjuicebus.so.1", zmq)
    os.unlink(zmq)
    text = refusal(path, monkeypatch)
    assert path in text
    assert "install libzmq5" in text


def test_a_failed_load_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = os.environ.get("JUICEBUS_LIBRARY")
    refusal(f"{tmp_path}/none", monkeypatch)
    if right is None:
        monkeypatch.delenv("JUICEBUS_LIBRARY")
    else:
        monkeypatch.setenv("JUICEBUS_LIBRARY", right)
    assert _library.library().juicebus_abi_version() == _abi.ABI_VERSION


READ_OF_AN_EVENT = (
    "name",
    "payload",
    "payload_size",
    "frames",
    "frame_count",
    "name_size",
    "topic_size",
    "size",
    "format",
)


@pytest.mark.parametrize(
    ("layout", "struct", "names"),
    [
        (_batch.EVENT, _abi.Event, READ_OF_AN_EVENT),
        (_batch.FRAME, _abi.Frame, ("data", "size")),
        (_batch.BATCH, _abi.Batch, ("events", "count", "data", "data_size", "slow")),
    ],
)
def test_batches_are_read_as_the_structs_are_declared(
    layout: Any, struct: Any, names: tuple[str, ...]
) -> None:
    assert layout.size == ctypes.sizeof(struct)
    codes = re.findall(r"(\d*)([PNiQx])", layout.format)
    sizes = [int(count) if code == "x" else calcsize("@" + code) for count, code in codes]
    offsets = [sum(sizes[:index]) for index, (_, code) in enumerate(codes) if code != "x"]
    assert offsets == [getattr(struct, name).offset for name in names]
