# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The matrix of one bus as text: publishers down, subscribers across, a count each.

The counts come from the ledgers of `bus.py`; `run.py` prints the text.
"""

from __future__ import annotations

from bus import Bus
from cases import CODECS, Codec
from ledger import Cell

FAULTS_SHOWN_MAX = 20


# (publisher, subscriber, codec) to what arrived; no entry where it cannot be read.
Cells = dict[tuple[str, str, Codec], Cell]


def cells(bus: Bus) -> Cells:
    """Compare what every subscriber received with what every publisher sent."""
    return {
        (publisher.kind.name, subscriber.kind.name, codec): subscriber.ledger.cell(
            publisher.kind.name, codec
        )
        for codec in CODECS
        for publisher in bus.publishers
        for subscriber in bus.subscribers
        if codec in publisher.kind.codecs and codec in subscriber.kind.codecs
    }


def matrix(bus: Bus, filled: Cells, codec: Codec) -> str:
    """Return the table of one codec; `-` where the subscriber cannot read it."""
    names = [subscriber.kind.name for subscriber in bus.subscribers]
    rows = [_row("", names)]
    for publisher in bus.publishers:
        if codec in publisher.kind.codecs:
            row = [filled.get((publisher.kind.name, name, codec)) for name in names]
            rows.append(_row(publisher.kind.name, [_text(cell) for cell in row]))
    return "\n".join(rows)


def faults(bus: Bus, filled: Cells) -> list[str]:
    """Return what is wrong, a line each; nothing if every cell is full."""
    found = [
        f"{publisher} -> {subscriber}, {codec}: {fault}"
        for (publisher, subscriber, codec), cell in filled.items()
        for fault in cell.faults
    ]
    for subscriber in bus.subscribers:
        altered = subscriber.ledger.altered
        found += [f"{subscriber.kind.name} got what nobody sent: {event}" for event in altered]
    found += bus.wrong_answers()
    if len(found) > FAULTS_SHOWN_MAX:
        found[FAULTS_SHOWN_MAX:] = [f"and {len(found) - FAULTS_SHOWN_MAX} more"]
    return found


def _text(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return f"{cell.received}/{cell.expected}{'!' if cell.faults else ''}"


def _row(label: str, texts: list[str]) -> str:
    return f"{label:<18}" + "".join(f"{text:>18}" for text in texts)
