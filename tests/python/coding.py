# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Events to payloads and back, without a bus."""

from __future__ import annotations

from typing import Any

import juicebus
from converting import cbor_of, msgpack_of
from juicebus._abi import FORMAT_CBOR, FORMAT_MSGPACK
from juicebus._codec import Codec, encode, plan_for, undecodable
from juicebus._library import library


def payload_of(event: Any, codec: Codec = "cbor") -> bytes:
    """Return the one payload frame of an event, as the wire has it."""
    (payload,) = encode(plan_for(type(event)), codec, event)
    return cbor_of(payload)


def decoded(event_class: Any, payload: bytes, format_: int = FORMAT_CBOR) -> Any:
    """Return the event that a payload holds."""
    plan = plan_for(event_class)
    try:
        return plan.readers[format_](payload)
    except Exception as exc:
        raise undecodable(plan, (b"Name\0", format_, payload, 0), exc) from exc


def there_and_back(event: Any) -> Any:
    """Return an event after CBOR, which the library has found well-formed.

    Where the library would hand it out as MessagePack, that says the same.
    """
    payload = payload_of(event)
    assert library().juicebus_payload_check(payload, len(payload)) == 0
    read = decoded(type(event), payload)
    if packed := msgpack_of(payload):
        assert repr(decoded(type(event), packed, FORMAT_MSGPACK)) == repr(read)
    return read


def holding(annotation: Any) -> Any:
    """Return an event class with one field of a type."""
    return type("Holding", (juicebus.Event,), {"__annotations__": {"value": annotation}})
