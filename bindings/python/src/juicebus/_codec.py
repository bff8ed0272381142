# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Event to payload frames and back.

A class that has frames of its own (it overrides to_msg or from_msg) keeps them. Every
other event is one frame: CBOR with the fields' names, or the JSON of to_msg; a receiver
reads both. What follows from the class alone is found out once, its plan. Frames go to
_publisher.py and come from _batch.py; CBOR itself is _flat.py's, _bulk.py's and _cbor.py's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

from cbor2 import CBORDecodeError
from pydantic import BaseModel, ValidationError

from juicebus import _bulk, _cbor
from juicebus._abi import FORMAT_CBOR, FORMAT_JSON
from juicebus._annotations import mention_numpy
from juicebus._batch import Raw
from juicebus._errors import DecodeError, InvalidError, Status
from juicebus._event import Message
from juicebus._flat import Writer, reads_names_only, writer_for
from juicebus._library import library, text

Codec = Literal["cbor", "json"]

_JUICE_MESSAGE = ("orangeqs.juice.messaging.message", "Message")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an event class needs: its own frames or ours, and how each is read."""

    own_frames: bool
    has_to_msg: bool
    has_topic: bool
    write_flat: Writer
    from_json: Callable[[bytes], Any]
    from_fields: Callable[[Any], Any]
    from_cbor: Callable[[bytes], Any]
    from_bulk: Callable[[bytes], Any]


_plans: WeakKeyDictionary[type, Plan] = WeakKeyDictionary()


def codec_named(codec: str | None) -> Codec:
    """Return the codec for a publisher's argument; None: JUICEBUS_CODEC, else cbor.

    Raises:
        InvalidError: There is no such codec.
    """
    source = "codec"
    if codec is None:
        source, codec = "JUICEBUS_CODEC", os.environ.get("JUICEBUS_CODEC") or "cbor"
    if codec == "cbor":
        return "cbor"
    if codec == "json":
        return "json"
    raise InvalidError(f'{source}={codec!r}: neither "cbor" nor "json"')


def plan_for(event_class: Any) -> Plan:
    """Return the plan of an event class.

    Raises:
        TypeError: It cannot be one: it has no name(), or is neither a pydantic model nor
            has methods of its own to read and write frames.
    """
    try:
        return _plans[event_class]
    except (KeyError, TypeError):
        plan = _plan(event_class)
    _plans[event_class] = plan
    return plan


def encode(plan: Plan, codec: Codec, event: Any) -> Sequence[bytes]:
    """Return the payload frames of an event.

    Raises:
        InvalidError: It has no such form; the text says why.
    """
    try:
        if plan.own_frames or (codec == "json" and plan.has_to_msg):
            frames = [as_bytes(frame) for frame in event.to_msg()]
            if plan.own_frames or len(frames) == 1:
                return frames
            raise ValueError(f"to_msg() gave {len(frames)} frames instead of 1")
        if codec == "json":
            return (event.model_dump_json().encode(),)
        payload = plan.write_flat(event)
        if payload is None:
            payload = _bulk.dumps(event.model_dump(mode="python", by_alias=False, round_trip=True))
        return (payload,)
    except Exception as exc:
        raise InvalidError(f"publish {type(event).__qualname__}: {_reason(exc)}") from exc


def as_bytes(frame: Any) -> bytes:
    """Return a frame, any object with the buffer protocol, as bytes."""
    return frame if type(frame) is bytes else bytes(memoryview(frame))


def decode(event_class: Any, plan: Plan, raw: Raw) -> Any:
    """Return the event of a class that was received.

    Raises:
        DecodeError: It does not hold one; the text says the key and why.
    """
    frames = raw.frames
    try:
        if plan.own_frames:
            return event_class.from_msg(list(frames))
        if len(frames) != 1:
            raise ValueError(f"1 payload frame expected, {len(frames)} came")
        if raw.format == FORMAT_CBOR:
            loads = plan.from_cbor if len(frames[0]) < _bulk.BULK_BYTES else plan.from_bulk
            return plan.from_fields(loads(frames[0]))
        if raw.format == FORMAT_JSON:
            return plan.from_json(frames[0])
        raise ValueError("the payload is damaged")
    except Exception as exc:
        reason = (not plan.own_frames and _damage(frames)) or _reason(exc)
        raise DecodeError(f"event {raw.key()!r}: {reason}") from exc


def _plan(event_class: Any) -> Plan:
    if not isinstance(event_class, type):
        raise TypeError(f"event type {event_class!r}: a class is needed")
    if not callable(getattr(event_class, "name", None)):
        raise TypeError(f"event type {event_class.__qualname__}: it has no method name()")
    writer, reader = _definer(event_class, "to_msg"), _definer(event_class, "from_msg")
    is_model = issubclass(event_class, BaseModel)
    if not is_model and reader is None:
        raise TypeError(
            f"event type {event_class.__qualname__}: it is no pydantic model and has no from_msg()"
        )
    arrays = is_model and mention_numpy(event_class)
    return Plan(
        own_frames=_is_foreign(writer) or _is_foreign(reader),
        has_to_msg=writer is not None,
        has_topic=callable(getattr(event_class, "topic", None)),
        write_flat=(is_model and writer_for(event_class)) or _no_short_way,
        from_json=_json_reader(event_class) if is_model else _unused,
        from_fields=_fields_reader(event_class) if is_model else _unused,
        from_cbor=_cbor.loads_with_arrays if arrays else _cbor.loads_with_lists,
        from_bulk=_bulk.loads_with_arrays if arrays else _bulk.loads_with_lists,
    )


def _json_reader(event_class: Any) -> Callable[[bytes], Any]:
    """Return what reads JSON: the default from_msg of both Messages does just this.

    A class that is complete has its validator at hand, and each call on the way to it
    costs a microsecond or more when events are rare.
    """
    if not event_class.__pydantic_complete__:
        return event_class.model_validate_json  # type: ignore[no-any-return]
    return event_class.__pydantic_validator__.validate_json  # type: ignore[no-any-return]


def _fields_reader(event_class: Any) -> Callable[[Any], Any]:
    """Return what reads fields by their names, whatever aliases the class has."""
    if not event_class.__pydantic_complete__:
        validate = event_class.model_validate
    else:
        validate = event_class.__pydantic_validator__.validate_python
        if reads_names_only(event_class):
            return validate  # type: ignore[no-any-return]
    return partial(validate, strict=False, by_alias=False, by_name=True)


def _no_short_way(_: Any) -> None:
    """Write nothing: events of this class go the long way."""


def _unused(_: Any) -> Any:
    raise TypeError("a class that is no pydantic model has frames of its own")


def _definer(event_class: type, method: str) -> type | None:
    return next((base for base in event_class.__mro__ if method in vars(base)), None)


def _is_foreign(definer: type | None) -> bool:
    if definer is None or definer is Message:
        return False
    return (definer.__module__, definer.__qualname__) != _JUICE_MESSAGE


def _damage(frames: Sequence[bytes]) -> str | None:
    """Return what the library finds wrong with a payload; None if it finds nothing."""
    lib = library()
    if len(frames) != 1 or lib.juicebus_payload_check(frames[0], len(frames[0])) == Status.OK:
        return None
    return text(lib.juicebus_last_error()).removeprefix("juicebus: check payload: ")


def _reason(exc: Exception) -> str:
    if isinstance(exc, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, error['loc'])) or exc.title}: {error['msg']}"
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        )
    cause = f": {exc.__cause__}" if isinstance(exc, CBORDecodeError) and exc.__cause__ else ""
    return f"{exc}{cause}" or type(exc).__name__
