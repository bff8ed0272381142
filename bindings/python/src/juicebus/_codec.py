# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Event to payload frames and back.

A class that has frames of its own (it overrides to_msg or from_msg) keeps them. Every
other event is one frame: CBOR with the fields' names, or the JSON of to_msg; a receiver
reads both. Between here and the library, MessagePack stands for CBOR where it says the
same. What follows from the class alone is found out once, its plan. Frames go to
_publisher.py and come from _batch.py; MessagePack is written by _flat.py, CBOR by
_bulk.py and _cbor.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from juicebus._abi import FORMAT_CBOR, FORMAT_JSON, FORMAT_MSGPACK
from juicebus._annotations import mention_numpy
from juicebus._batch import FRAMES, Raw, described
from juicebus._errors import DecodeError, InvalidError, Status
from juicebus._event import Message
from juicebus._flat import Writer, reads_names_only, writer_for
from juicebus._json_form import reads_like_json
from juicebus._library import library, text

Codec = Literal["cbor", "json"]
Reader = Callable[[Any], Any]

_JUICE_MESSAGE = ("orangeqs.juice.messaging.message", "Message")


class Plan:
    """What an event class needs: its own frames or ours, and how each is read and written."""

    __slots__ = ("has_topic", "name", "own_frames", "readers", "writers")

    def __init__(self, event_class: Any) -> None:
        """Find it out.

        Raises:
            TypeError: The class cannot be an event type.
        """
        if not isinstance(event_class, type):
            raise TypeError(f"event type {event_class!r}: a class is needed")
        title = event_class.__qualname__
        ask_name = getattr(event_class, "name", None)
        if not callable(ask_name):
            raise TypeError(f"event type {title}: it has no method name()")
        writer, reader = _definer(event_class, "to_msg"), _definer(event_class, "from_msg")
        is_model = issubclass(event_class, BaseModel)
        if not is_model and reader is None:
            raise TypeError(f"event type {title}: it is no pydantic model and has no from_msg()")
        self.own_frames = _is_foreign(writer) or _is_foreign(reader)
        self.has_topic = callable(getattr(event_class, "topic", None))
        # That of the class, which does not change. None: it says its own, and is asked.
        is_given = not _is_foreign(_definer(event_class, "name"))
        self.name: str | None = ask_name() if is_given else None
        # By the format of what came, and by the codec of what goes; none for own frames.
        self.readers: list[Reader]
        self.writers: dict[Codec, Writer]
        if self.own_frames:
            self.readers = _frame_readers(event_class)
            self.writers = {}
        else:
            self.readers = _model_readers(event_class)
            self.writers = _model_writers(event_class, has_to_msg=writer is not None)


# Where a class keeps its plan: that refers to the class, and goes with it.
_PLAN = "__juicebus_plan__"


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
    plan: Plan | None = getattr(event_class, "__dict__", {}).get(_PLAN)
    if plan is None:
        plan = Plan(event_class)
        with suppress(AttributeError, TypeError):  # a class that takes no attributes
            setattr(event_class, _PLAN, plan)
    return plan


def encode(plan: Plan, codec: Codec, event: Any) -> Sequence[bytes]:
    """Return the payload frames of an event.

    Raises:
        InvalidError: It has no such form; the text says why.
    """
    try:
        if plan.own_frames:
            return [as_bytes(frame) for frame in event.to_msg()]
        return (plan.writers[codec](event),)
    except Exception as exc:
        raise unencodable(event, exc) from exc


def unencodable(event: Any, exc: Exception) -> InvalidError:
    """Return the error of an event that one of its plan's writers has failed on."""
    return InvalidError(f"publish {type(event).__qualname__}: {_reason(exc)}")


def as_bytes(frame: Any) -> bytes:
    """Return a frame, any object with the buffer protocol, as bytes."""
    return frame if type(frame) is bytes else bytes(memoryview(frame))


def undecodable(plan: Plan, raw: Raw, exc: Exception) -> DecodeError:
    """Return the error of an event that one of the plan's readers has failed on.

    Its text says the key and why.
    """
    key, form, payload, _ = raw
    judged = not plan.own_frames and form not in (FRAMES, FORMAT_MSGPACK)
    reason = (judged and _damage(payload)) or _reason(exc)
    return DecodeError(f"event {described(key)!r}: {reason}")


def _frame_readers(event_class: Any) -> list[Reader]:
    """Return what reads events of a class with frames of its own."""
    from_msg = event_class.from_msg
    readers: list[Reader] = [lambda payload: from_msg([payload])] * FRAMES
    return [*readers, lambda payload: from_msg(list(payload))]


def _model_readers(event_class: Any) -> list[Reader]:
    """Return what reads events of a pydantic model; some of it is made when it is needed."""
    validate = _fields_reader(event_class)

    def read_msgpack(payload: bytes) -> Any:
        from msgspec.msgpack import Decoder  # some milliseconds, for those who need it

        unpack = Decoder().decode
        readers[FORMAT_MSGPACK] = lambda payload: validate(unpack(payload))
        return readers[FORMAT_MSGPACK](payload)

    def read_cbor(payload: bytes) -> Any:
        from juicebus import _bulk  # the same

        loads = _bulk.loads_with_arrays if mention_numpy(event_class) else _bulk.loads_with_lists
        readers[FORMAT_CBOR] = lambda payload: validate(loads(payload))
        return readers[FORMAT_CBOR](payload)

    readers: list[Reader] = [_refuse_damaged] * (FRAMES + 1)
    readers[FORMAT_CBOR] = read_cbor
    readers[FORMAT_JSON] = _json_reader(event_class)
    readers[FORMAT_MSGPACK] = read_msgpack
    readers[FRAMES] = _refuse_frames
    return readers


def _model_writers(event_class: Any, *, has_to_msg: bool) -> dict[Codec, Writer]:
    """Return what writes events of a pydantic model; some of it is made when it is needed."""

    def write_cbor(event: Any) -> bytes:
        writers["cbor"] = writer_for(event_class, _long_way)
        return writers["cbor"](event)

    writers: dict[Codec, Writer] = {"cbor": write_cbor, "json": _write_json}
    if has_to_msg:
        writers["json"] = _write_message
    writes_by_default = event_class.model_dump_json is BaseModel.model_dump_json
    if not (writes_by_default and _reads_json_by_default(event_class)):
        # Its JSON is its own, and may say more than its fields; every subscriber reads it.
        writers["cbor"] = writers["json"]
    return writers


def _write_json(event: Any) -> bytes:
    payload: bytes = event.model_dump_json().encode()
    return payload


def _write_message(event: Any) -> bytes:
    frames = event.to_msg()
    if len(frames) != 1:
        raise ValueError(f"to_msg() gave {len(frames)} frames instead of 1")
    return as_bytes(frames[0])


def _reads_json_by_default(event_class: Any) -> bool:
    method = getattr(event_class.model_validate_json, "__func__", None)
    return method is BaseModel.model_validate_json.__func__  # type: ignore[attr-defined]


def _json_reader(event_class: Any) -> Reader:
    """Return what reads JSON: the default from_msg of both Messages does just this.

    A class that is complete has its validator at hand, and each call on the way to it
    costs a microsecond or more when events are rare.
    """
    if not event_class.__pydantic_complete__ or not _reads_json_by_default(event_class):
        return event_class.model_validate_json  # type: ignore[no-any-return]
    return event_class.__pydantic_validator__.validate_json  # type: ignore[no-any-return]


def _fields_reader(event_class: Any) -> Reader:
    """Return what reads fields by their names, whatever aliases the class has."""
    if event_class.__pydantic_complete__ and reads_names_only(event_class):
        return event_class.__pydantic_validator__.validate_python  # type: ignore[no-any-return]
    validate = partial(event_class.model_validate, strict=False, by_alias=False, by_name=True)
    return reads_like_json(event_class, validate) if event_class.__pydantic_complete__ else validate


def _refuse_damaged(payload: bytes) -> Any:
    raise ValueError("the payload is damaged")


def _refuse_frames(payload: tuple[bytes, ...]) -> Any:
    raise ValueError(f"1 payload frame expected, {len(payload)} came")


def _long_way(event: Any) -> bytes:
    from juicebus import _bulk  # cbor2 takes some milliseconds, for those who need it

    return _bulk.dumps(event.model_dump(mode="python", by_alias=False, round_trip=True))


def _definer(event_class: type, method: str) -> type | None:
    return next((base for base in event_class.__mro__ if method in vars(base)), None)


def _is_foreign(definer: type | None) -> bool:
    if definer is None or definer is Message:
        return False
    return (definer.__module__, definer.__qualname__) != _JUICE_MESSAGE


def _damage(payload: Any) -> str | None:
    """Return what the library finds wrong with a payload; None if it finds nothing."""
    lib = library()
    if lib.juicebus_payload_check(payload, len(payload)) == Status.OK:
        return None
    return text(lib.juicebus_last_error()).removeprefix("juicebus: check payload: ")


def _reason(exc: Exception) -> str:
    if isinstance(exc, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, error['loc'])) or exc.title}: {error['msg']}"
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        )
    # cbor2, if it has been needed, hides what a decoder of ours said.
    cbor2 = sys.modules.get("cbor2")
    hides = cbor2 is not None and isinstance(exc, cbor2.CBORDecodeError) and exc.__cause__
    return f"{exc}: {exc.__cause__}" if hides else str(exc) or type(exc).__name__
