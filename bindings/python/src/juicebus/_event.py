# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Event, the base class of what is published, with the contract of Juice's class.

An event is a pydantic model with a name and a topic. Its to_msg and from_msg are the
JSON form, which every member of a fleet can read; the CBOR form is _codec.py's. Any other
class that offers the same methods, as Juice's own events do, works in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self


class EventLike(Protocol):
    """What an event type offers, besides being a pydantic model."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the event type, the first part of its key."""

    def topic(self) -> str | None:
        """Return the topic of the event, the second part of its key."""


EventType = TypeVar("EventType", bound=EventLike, default=Any)
"""A type of event, such as a subclass of Event."""


class MessagePart(BaseModel):
    """Base class of the classes that are used as fields of events."""

    model_config = ConfigDict(ser_json_inf_nan="strings")


class Message(MessagePart):
    """A part that can be sent by itself: it has a name, and a form in frames."""

    @classmethod
    def name(cls) -> str:
        """Return the name of this type, by default the name of the class; may hold dots."""
        return cls.__name__

    def to_msg(self) -> Sequence[bytes]:
        """Return the payload frames: by default one, in JSON.

        A class that overrides to_msg or from_msg keeps its own frames whatever the
        publisher's codec.
        """
        return (self.model_dump_json().encode(),)

    @classmethod
    def from_msg(cls, msg: Sequence[bytes]) -> Self:
        """Return what to_msg was called on.

        Raises:
            ValueError: There is not exactly one frame, or it does not fit the class.
        """
        if len(msg) != 1:
            raise ValueError(f"1 payload frame expected, {len(msg)} came")
        return cls.model_validate_json(msg[0], by_alias=True, by_name=True)


class Event(Message):
    """Base class of events.

    Subclasses add fields; nested classes derive from MessagePart. Subscribers choose
    events by type and by topic::

        class Temperature(juicebus.Event):
            measurement: ClassVar[str] = "temperature"
            sensor: Annotated[str, "tag"]
            kelvin: float

            def topic(self) -> str:
                return self.sensor

    Fields hold the Python types that pydantic knows. NumPy arrays need
    ``arbitrary_types_allowed`` and arrive read-only; small ones share memory with the payload.
    """

    measurement: ClassVar[str]
    """The name that databases file the event under."""

    time: datetime = Field(default_factory=lambda: datetime.now(timezone.utc))
    """When it happened; by default now, in UTC."""

    def topic(self) -> str | None:
        """Return the topic, such as "fridge.4K"; None, the default, is no topic."""
        return None
