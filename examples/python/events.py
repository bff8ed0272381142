# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""The events of the fleet, and with them what the two services receive.

Every language describes the same events in its own way; the names and the fields
are what they agree on. The last two are classes of Juice itself, as they are.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from orangeqs.juice.fridge.data_structures import TemperaturePoint
from orangeqs.juice.task_manager._schemas import IPythonServiceState

from juicebus import Event


class FridgeReading(Event):
    """What a driver measures."""

    measurement: ClassVar[str] = "fridge_reading"
    kelvin: float


class SetPoint(Event):
    """What a driver is asked for."""

    measurement: ClassVar[str] = "set_point"
    kelvin: float


class FridgeSummary(Event):
    """What the Go service makes of the readings."""

    measurement: ClassVar[str] = "fridge_summary"
    service: Annotated[str, "tag"]
    latest_kelvin: float | None

    def topic(self) -> str:
        """Return the service, so that one can subscribe to only one of them."""
        return self.service


class FridgeAlarm(Event):
    """What an operator should know."""

    measurement: ClassVar[str] = "fridge_alarm"
    service: Annotated[str, "tag"]
    text: str

    def topic(self) -> str:
        """Return the service that raises the alarm."""
        return self.service


EVENT_TYPES = (
    FridgeReading,
    SetPoint,
    FridgeSummary,
    FridgeAlarm,
    TemperaturePoint,
    IPythonServiceState,
)
