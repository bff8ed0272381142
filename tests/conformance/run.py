# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The conformance matrix: every publisher to every subscriber through every proxy.

Seven implementations, two proxies and both codecs where the reader knows them; all
are real processes on one bus per proxy, over TCP. Prints the matrices, then exits
with code 0 if every event arrived where it should, once, unaltered and in order.
Each bus is run by `bus.py`; needs the built peers and the packages juicebus and
orangeqs-juice-core in the interpreter that runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bus import Bus, PeerKind
from cases import CODECS
from process import News, ProcessError
from proxies import run_proxy
from report import cells, faults, matrix

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build"
PYTHON = (sys.executable, "-m")
OURS = "juicebus-proxy"


def peer_kinds(binaries: Path) -> list[PeerKind]:
    """Return the seven implementations."""
    return [
        PeerKind("Go", (str(binaries / "go-peer"),)),
        PeerKind("C", (str(binaries / "c-peer"),)),
        PeerKind("C++", (str(binaries / "cpp-peer"),)),
        PeerKind("juicebus-blocking", (*PYTHON, "peers.juicebus_peer", "blocking")),
        PeerKind("juicebus-async", (*PYTHON, "peers.juicebus_peer", "async")),
        PeerKind("Juice-blocking", (*PYTHON, "peers.juice_peer", "blocking"), ("json",), False),
        PeerKind("Juice-async", (*PYTHON, "peers.juice_peer", "async"), ("json",), False),
    ]


def proxy_commands(binary: Path) -> dict[str, tuple[str, ...]]:
    """Return how each proxy is started."""
    any_port = "tcp://127.0.0.1:0"
    return {
        OURS: (str(binary), "--pub", any_port, "--sub", any_port),
        "ZMQProxy": (*PYTHON, "peers.juice_proxy"),
    }


async def run_bus(proxy: str, command: Sequence[str], kinds: Sequence[PeerKind]) -> bool:
    """Run one bus and print its matrices; return whether they are full."""
    news = News()
    bus = Bus(kinds, proxy == OURS, news)
    try:
        async with run_proxy(proxy, command, news) as addresses:
            await bus.run(addresses)
    except ProcessError as error:
        print(f"{proxy}: {error}", flush=True)
        return False
    filled = cells(bus)
    print(f"{proxy}: received/expected; publishers down, subscribers across")
    for codec in CODECS:
        print(f"\n{codec.upper()}\n{matrix(bus, filled, codec)}")
    full = sum(cell.is_full for cell in filled.values())
    wrong = faults(bus, filled)
    print(
        f"\n{proxy}: {full} of {len(filled)} cells full", *wrong, sep="\n  ", end="\n\n", flush=True
    )
    return full == len(filled) and not wrong


def main() -> int:
    """Run the chosen proxies one after the other; return the exit code."""
    parser = argparse.ArgumentParser(description="Run the conformance matrix.")
    parser.add_argument("--binaries", type=Path, default=BUILD / "conformance", metavar="DIR")
    parser.add_argument("--proxy-binary", type=Path, default=BUILD / "bin" / "juicebus-proxy")
    parser.add_argument("--proxy", nargs="*", help="only these proxies")
    parser.add_argument("--peer", nargs="*", help="only these implementations")
    chosen = parser.parse_args()
    kinds = peer_kinds(chosen.binaries.resolve())
    commands = proxy_commands(chosen.proxy_binary.resolve())
    for asked, known in ((chosen.peer, [k.name for k in kinds]), (chosen.proxy, list(commands))):
        if unknown := set(asked or ()) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    kinds = [kind for kind in kinds if not chosen.peer or kind.name in chosen.peer]
    # Peers are started as modules of this folder.
    os.chdir(HERE)
    results = [
        asyncio.run(run_bus(proxy, command, kinds))
        for proxy, command in commands.items()
        if not chosen.proxy or proxy in chosen.proxy
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
