# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Events to payloads and back, without a bus."""

from __future__ import annotations

from typing import Any

import juicebus
from juicebus._abi import FORMAT_CBOR
from juicebus._batch import Raw
from juicebus._codec import Codec, decode, encode, plan_for
from juicebus._library import library


def payload_of(event: Any, codec: Codec = "cbor") -> bytes:
    """Return the one payload frame of an event."""
    (payload,) = encode(plan_for(type(event)), codec, event)
    return payload


def decoded(event_class: Any, payload: bytes, format_: int = FORMAT_CBOR) -> Any:
    """Return the event that a payload holds."""
    return decode(event_class, plan_for(event_class), Raw(b"Name", b"", format_, (payload,)))


def there_and_back(event: Any) -> Any:
    """Return an event after CBOR, which the library has found well-formed."""
    payload = payload_of(event)
    assert library().juicebus_payload_check(payload, len(payload)) == 0
    return decoded(type(event), payload)


def holding(annotation: Any) -> Any:
    """Return an event class with one field of a type."""
    return type("Holding", (juicebus.Event,), {"__annotations__": {"value": annotation}})
