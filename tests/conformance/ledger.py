# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""What one subscriber has received, against what the publishers sent.

`bus.py` enters every line that a subscriber prints; `report.py` prints the counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from cases import Case, Codec, normal_of_line


@dataclass(frozen=True)
class Cell:
    """One publisher's events at one subscriber, in one codec."""

    expected: int
    received: int
    faults: tuple[str, ...]

    @property
    def is_full(self) -> bool:
        """Whether every event arrived once, in order, and nothing else did."""
        return self.received == self.expected and not self.faults


class Ledger:
    """The events that one subscriber has received."""

    def __init__(self, sent: Mapping[str, Case]) -> None:
        """`sent`: every case of the bus by its normal form."""
        self._sent = sent
        self._received: dict[tuple[str, Codec], list[str]] = defaultdict(list)
        self._probed: set[str] = set()
        self._ended: set[tuple[str, Codec]] = set()
        self.altered: list[str] = []

    def enter(self, line: str) -> None:
        """Enter one line that the subscriber printed.

        Raises ValueError if it holds no event. An event that nobody sent is kept
        in `altered`.
        """
        normal = normal_of_line(line)
        case = self._sent.get(normal)
        if case is None:
            self.altered.append(normal)
        elif case.purpose == "probe":
            self._probed.add(normal)
        elif case.purpose == "end":
            self._ended.add((case.publisher, case.codec))
        else:
            self._received[case.publisher, case.codec].append(normal)

    def has_probe(self, probe: Case) -> bool:
        """Return whether a probe, and so its subscription, has come through."""
        return probe.normal in self._probed

    def has_end(self, publisher: str, codec: Codec) -> bool:
        """Return whether everything that a publisher sent in a codec is behind us."""
        return (publisher, codec) in self._ended

    def cell(self, publisher: str, codec: Codec) -> Cell:
        """Compare what came from one publisher with what it sent."""
        cases = [c for c in self._sent.values() if (c.publisher, c.codec) == (publisher, codec)]
        expected = [c.normal for c in cases if c.purpose == "event" and c.wanted]
        received = self._received[publisher, codec]
        faults = [f"lost: {normal}" for normal in expected if normal not in received]
        for normal, count in Counter(received).items():
            if count > 1:
                faults.append(f"received {count} times: {normal}")
            if normal not in expected:
                faults.append(f"not subscribed to: {normal}")
        if not faults and received != expected:
            faults.append("received in another order than sent")
        arrived = len(set(received) & set(expected))
        return Cell(len(expected), arrived, tuple(faults))
