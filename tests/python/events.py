# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Event classes that several tests use."""

from __future__ import annotations

import juicebus


class Probe(juicebus.Event):
    """Holds nothing of its own."""


class Temperature(juicebus.Event):
    """A number at a place."""

    kelvin: float = 4.2
    place: str | None = None

    def topic(self) -> str | None:
        return self.place


class Numbered(juicebus.Event):
    """Counted: what was lost shows."""

    number: int


class Mistyped(juicebus.Event):
    """Has the name of Numbered and other fields: a Numbered that cannot be decoded."""

    number: str = "not a number"

    @classmethod
    def name(cls) -> str:
        return "Numbered"
