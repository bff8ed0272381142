# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures what it costs to write and to read an event, in this process alone.

    python codec_cost.py FORM

FORM is one of FORMS. Prints microseconds of CPU time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import cbor2

import juicebus
from juicebus._abi import FORMAT_CBOR, FORMAT_JSON
from juicebus._batch import Raw
from juicebus._codec import decode, encode, plan_for
from reading import NAME, SENSOR, reading, reading_class
from timing import median_s

Reading = reading_class(juicebus.Event)
PLAN = plan_for(Reading)


def raw(payload: bytes, form: int) -> Raw:
    return Raw(NAME.encode(), SENSOR.encode(), form, (payload,))


FORMS: dict[str, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "juicebus-cbor": (
        lambda event: encode(PLAN, "cbor", event)[0],
        lambda payload: decode(Reading, PLAN, raw(payload, FORMAT_CBOR)),
    ),
    "juicebus-json": (
        lambda event: encode(PLAN, "json", event)[0],
        lambda payload: decode(Reading, PLAN, raw(payload, FORMAT_JSON)),
    ),
    "pydantic-json": (
        lambda event: event.model_dump_json().encode(),
        lambda payload: Reading.model_validate_json(payload),
    ),
    "cbor2": (
        lambda event: cbor2.dumps(event.model_dump()),
        lambda payload: Reading.model_validate(cbor2.loads(payload)),
    ),
}


def main(form: str) -> None:
    write, read = FORMS[form]
    event = reading(Reading, 1000)
    payload = write(event)
    if read(payload) != event:
        raise RuntimeError(f"{form} does not bring the event back")
    figures = {
        "write": 1e6 * median_s(time.process_time, write, event, calls=1000),
        "read": 1e6 * median_s(time.process_time, read, payload, calls=1000),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
