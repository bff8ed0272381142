# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The fault matrix: its rows, and how the results of a run become a table and a file.

A test names its row by `@pytest.mark.fault(row)` and says what it measured by pytest's
own record_property: "figure" for juicebus, "juice" for the same fault on the real Juice.
`conftest.py` collects both. The README shows what is in build/faults.json.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

# Row to the fault, and when juicebus passes.
ROWS: dict[int, tuple[str, str]] = {
    1: (
        "proxy SIGKILL and restart, 100 times, 2,000 topics a subscriber, and once 5,000",
        "all live again: at most 1 of 100 over 1 s, none over 2 s; no subscription lost",
    ),
    2: (
        "the same at 1,000 events/s",
        "only events inside the dead process are lost, no more than unconfirmed said; "
        "0 out of order, 0 twice",
    ),
    3: ("half-open or stalled TCP", "disconnected is told within 4 s; recovers by itself"),
    4: (
        "subscriber asleep while 200,000 events pass",
        "lost + received = sent; other subscribers lose 0; memory within its limit",
    ),
    5: (
        "event at the size limit, and one byte over",
        "delivered; refused with an error, connection kept",
    ),
    6: (
        "oversize frame to the proxy and to a client; a message that never ends",
        "growth within twice the limit, three times for small frames; peer cut off; "
        "a client recovers",
    ),
    7: (
        "malformed greetings, handshakes, commands",
        "peer cut off, good client served within 1 s",
    ),
    8: (
        "CBOR that is not well-formed, deep, huge or ambiguous",
        "same verdict in Go and Python; a refusal within 1 ms and 64 KiB",
    ),
    9: (
        "1, 3, 100 frames; empty, non-UTF-8, 64 KiB keys; forged reserved keys",
        "each refused, counted or delivered as it should; next event read; nothing forged believed",
    ),
    10: (
        "1,000,000 subscriptions; 1,000 connects without handshake; 64 file descriptors",
        "proxy alive, memory bounded, CPU under 50 %, good client served within 1 s",
    ),
    11: ("close during blocked get, 100 threads, 10 rounds", "ClosedError within 0.1 s each"),
    12: (
        "32 threads on one publisher and one subscriber, 1,000,000 events",
        "none lost, none twice, no abort",
    ),
    13: (
        "NULL, random, stale, double-closed handles, 10,000,000 calls",
        "a status each time, never a crash",
    ),
    14: ("panic inside an export", "E_PANIC, the process lives, later calls E_PANIC"),
    15: (
        "fork, multiprocessing, os.fork inside asyncio",
        "the child is told at once and exits cleanly; the parent goes on",
    ),
    16: (
        "Ctrl-C, SIGTERM, exit with everything open",
        "a blocking call ends within 0.2 s; exit within 1 s, no traceback",
    ),
    17: ("queues full; the n-th allocation fails", "a clean error for every n"),
    18: (
        "soak: an hour of mixed load",
        "memory grows by at most 2 MiB; descriptors, threads unchanged",
    ),
}

# Widths of the columns: number, fault, passes when, runs in, juicebus, Juice.
_WIDTHS = (2, 26, 32, 9, 38, 34)


@dataclass
class Result:
    """What one test of a row gave: whether it passed, and its figures."""

    row: int
    test: str
    runs_in: str
    passed: bool
    figures: list[str] = field(default_factory=list)
    juice: list[str] = field(default_factory=list)


def save(results: list[Result], known: set[str], path: Path) -> None:
    """Write results to a file, beside those that are there of other known tests."""
    before = json.loads(path.read_text()) if path.exists() else {}
    kept = {test: result for test, result in before.items() if test in known}
    kept |= {result.test: vars(result) for result in results}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def table(results: list[Result], runs_in: dict[int, set[str]]) -> str:
    """Return the rows as text; `runs_in` says where the tests of a row run."""
    lines = _cells(("#", "fault", "passes when", "runs in", "juicebus", "Juice"))
    absent = sorted(set(ROWS) - {result.row for result in results})
    for row, (fault, passes) in ROWS.items():
        if row in absent:
            continue
        of_row = [result for result in results if result.row == row]
        lines.append("  ".join("-" * width for width in _WIDTHS))
        lines += _cells(
            (
                str(row),
                fault,
                passes,
                "\n".join(sorted(runs_in[row], reverse=True)),
                _outcome(of_row),
                "\n".join(text for result in of_row for text in result.juice),
            )
        )
    if absent:
        lines.append(f"Rows that are not in this run: {', '.join(map(str, absent))}")
    return "\n".join(lines)


def _outcome(results: list[Result]) -> str:
    failed = [f"FAILED {result.test.partition('::')[2]}" for result in results if not result.passed]
    figures = [text for result in results for text in result.figures]
    return "\n".join([*(failed or ["ok"]), *figures])


def _cells(texts: tuple[str, ...]) -> list[str]:
    """Return the lines of one row, its texts wrapped to the widths of the columns."""
    columns = [
        [
            line
            for part in text.split("\n")
            for line in textwrap.wrap(part, width, break_on_hyphens=False)
        ]
        for text, width in zip(texts, _WIDTHS, strict=True)
    ]
    height = max(map(len, columns))
    return [
        "  ".join(
            (column[n] if n < len(column) else "").ljust(width)
            for column, width in zip(columns, _WIDTHS, strict=True)
        ).rstrip()
        for n in range(height)
    ]
