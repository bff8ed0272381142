# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The README's commands and programs are run as they stand there.

Only the ports are replaced, by those of a proxy of this test. A program that receives runs
while one that publishes is started again and again, until something has been printed:
nothing says when a subscription is live.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BUILD = ROOT / "build"
DEADLINE_S = 60.0


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def ports() -> Iterator[tuple[str, str]]:
    """Yield the two ports of a proxy, in the order publishers, subscribers."""
    address = "tcp://127.0.0.1:0"
    command = [BUILD / "bin/juicebus-proxy", "--pub", address, "--sub", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout is not None
        ready = re.fullmatch(r"ready pub=\S+:(\d+) sub=\S+:(\d+)\n", proxy.stdout.readline())
        assert ready is not None
        yield ready[1], ready[2]
        proxy.terminate()
    assert proxy.returncode == 0


def program(directory: Path, name: str, text: str, ports: tuple[str, str]) -> Path:
    """Write a program of the README, for other ports."""
    path = directory / name
    path.write_text(text.replace("5122", ports[0]).replace("5123", ports[1]), encoding="utf-8")
    return path


def python_publisher(directory: Path, ports: tuple[str, str]) -> list[str]:
    """Return the command of the Python program that publishes."""
    return [sys.executable, str(program(directory, "publish.py", blocks("python")[1], ports))]


def first_line(receiver: list[str], publisher: list[str]) -> str:
    """Start a receiver, then publishers until it prints; return what it prints."""
    with subprocess.Popen(receiver, stdout=subprocess.PIPE, text=True) as receiving:
        lines: list[str] = []
        stdout = receiving.stdout
        assert stdout is not None
        reader = threading.Thread(target=lambda: lines.append(stdout.readline()))
        reader.start()
        end = time.monotonic() + DEADLINE_S
        while reader.is_alive() and time.monotonic() < end:
            subprocess.run(publisher, check=True, timeout=DEADLINE_S)
            reader.join(timeout=0.05)
        receiving.terminate()
        reader.join()
    return lines[0]


def test_python_programs_exchange_an_event(tmp_path: Path, ports: tuple[str, str]) -> None:
    receive = program(tmp_path, "receive.py", blocks("python")[0], ports)
    publisher = python_publisher(tmp_path, ports)
    assert first_line([sys.executable, str(receive)], publisher) == "4.2\n"


def compiled(compiler: list[str], source: Path) -> str:
    """Compile a program, and return where it is."""
    library = BUILD / "lib"
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT / 'include'}"]
    link = [f"-L{library}", "-ljuicebus", f"-Wl,-rpath,{library}"]
    binary = source.with_suffix("")
    subprocess.run([*compiler, *flags, source, "-o", binary, *link], check=True)
    return str(binary)


def test_c_program_publishes_to_python(tmp_path: Path, ports: tuple[str, str]) -> None:
    (text,) = blocks("c")
    driver = compiled(["cc", "-std=c11"], program(tmp_path, "driver.c", text, ports))
    receive = program(tmp_path, "receive.py", blocks("python")[0], ports)
    assert first_line([sys.executable, str(receive)], [driver]) == "4.2\n"


def test_cpp_program_receives_from_python(tmp_path: Path, ports: tuple[str, str]) -> None:
    (text,) = blocks("cpp")
    monitor = compiled(["g++", "-std=c++17"], program(tmp_path, "monitor.cpp", text, ports))
    received = first_line([monitor], python_publisher(tmp_path, ports))
    assert re.fullmatch(r"Temperature, \d+ bytes, 0 lost\n", received)


def test_go_program_receives_from_python(tmp_path: Path, ports: tuple[str, str]) -> None:
    (text,) = blocks("go")
    (commands,) = re.findall(r"`(go mod edit .*?)`, then\s`(go mod tidy)`", README, re.DOTALL)
    service = tmp_path / "service"
    service.mkdir()
    program(service, "main.go", text, ports)
    edit, tidy = (command.replace("PATH", str(ROOT)) for command in commands)
    for command in ("go mod init service", edit, tidy, "go build"):
        subprocess.run(command.split(), check=True, cwd=service)
    received = first_line([str(service / "service")], python_publisher(tmp_path, ports))
    assert received == " 4.2 <nil>\n"


def test_juice_service_moves_over_in_code() -> None:
    out = subprocess.run(
        [sys.executable, "-c", blocks("python")[2]], check=True, capture_output=True, text=True
    )
    assert "juicebus" in out.stdout.splitlines()[-1]


def test_juice_service_moves_over_by_a_variable(tmp_path: Path) -> None:
    (command,) = blocks("sh")
    (tmp_path / "my_service.py").write_text(
        "from orangeqs.juice.messaging.zmq import ZMQPublisherBlocking\n"
        "print(ZMQPublisherBlocking.__mro__[1])\n",
        encoding="utf-8",
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    out = subprocess.run(
        ["sh", "-c", command],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
    )
    assert "juicebus" in out.stdout.splitlines()[-1]


def test_make_run_prints_what_the_readme_shows() -> None:
    shown = next(b for b in blocks("console") if b.startswith("$ make run\n"))
    out = subprocess.run(
        [sys.executable, "examples/run.py"], check=True, capture_output=True, text=True, cwd=ROOT
    )

    def without_counts(text: str) -> str:
        return re.sub(r" *\d+", " N", text).strip()

    assert without_counts(out.stdout) == without_counts(shown.removeprefix("$ make run\n"))


def test_links_lead_somewhere() -> None:
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!http)([^)]+)\)", prose):
        assert (ROOT / target).exists(), target


def test_files_of_the_data_flow_exist() -> None:
    table = README.split("## How an event travels")[1].split("##")[0]
    for name in re.findall(r"`([\w/.]+)`", table):
        places = [ROOT, ROOT / "bindings/python/src/juicebus", ROOT / "include"]
        assert name.startswith("<") or any((place / name).exists() for place in places), name


def test_make_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
