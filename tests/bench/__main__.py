# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures juicebus beside its peers: `python tests/bench [--rounds N] [NAME …]`.

Without names it runs everything and writes docs/benchmark.json, .svg and .md; with names
(or parts of names) it runs those measures, and prints them only. Exits with 1 if a run of
juicebus failed, not if a target is missed or a peer has lost events.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import chart
import machine
import measures_arrays
import measures_codec
import measures_fanout
import measures_latency
import measures_load
import measures_native
import measures_proxy
import measures_throughput
import measures_transport
import page
import report
import results
from bench import ROOT
from broker_nats import SERVER

MEASURES = (
    *measures_throughput.MEASURES,
    *measures_transport.MEASURES,
    *measures_latency.MEASURES,
    *measures_proxy.MEASURES,
    *measures_fanout.MEASURES,
    *measures_native.MEASURES,
    *measures_arrays.MEASURES,
    *measures_codec.MEASURES,
    *measures_load.MEASURES,
)
ROUNDS = 5


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where to write")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    chosen = [
        measure
        for measure in MEASURES
        if not arguments.names or any(name in measure.name for name in arguments.names)
    ]
    if not chosen:
        parser.error("no such measure; there are: " + " ".join(m.name for m in MEASURES))
    found = results.run(chosen, arguments.rounds)
    print(report.table(found))
    if not arguments.names:
        write(arguments.docs, facts(arguments.rounds), found)
    failed = any(judged.found is None for result in found for judged in result.verdicts())
    return 1 if failed else 0


def facts(rounds: int) -> dict[str, Any]:
    """Return when, where and with what was measured."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": machine.commit(ROOT),
        "rounds": rounds,
        "machine": machine.machine(),
        "versions": machine.versions(SERVER),
    }


def write(docs: Path, known: dict[str, Any], found: list[results.Result]) -> None:
    """Write the page and what it shows."""
    docs.mkdir(exist_ok=True)
    (docs / "benchmark.json").write_text(report.to_json(known, found))
    (docs / "benchmark.md").write_text(page.page(known, found))
    chart.draw(found, docs / "benchmark.svg")


if __name__ == "__main__":
    sys.exit(main())
