# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures what it costs to write and to read an event, without any transport.

    python codec_cost.py FORM CONVERT

FORM is one of FORMS; CONVERT is the program of native/convert.c. Prints microseconds of CPU
time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import cbor2

import juicebus
from juicebus._abi import FORMAT_JSON, FORMAT_MSGPACK
from juicebus._codec import encode, plan_for
from reading import reading, reading_class
from timing import median_s

Reading = reading_class(juicebus.Event)
PLAN = plan_for(Reading)


FORMS: dict[str, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "juicebus-cbor": (
        lambda event: encode(PLAN, "cbor", event)[0],
        lambda payload: PLAN.readers[FORMAT_MSGPACK](payload),
    ),
    "juicebus-json": (
        lambda event: encode(PLAN, "json", event)[0],
        lambda payload: PLAN.readers[FORMAT_JSON](payload),
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


def library_us(form: str, payload: bytes, convert: str) -> dict[str, float]:
    """Return what the library does of it: between MessagePack and the CBOR of the wire."""
    if form != "juicebus-cbor":
        return {"write": 0.0, "read": 0.0}
    printed = subprocess.run([convert, payload.hex()], check=True, stdout=subprocess.PIPE)
    found = json.loads(printed.stdout)
    return {"write": found["to_cbor_ns"] / 1e3, "read": found["to_msgpack_ns"] / 1e3}


def main(form: str, convert: str) -> None:
    write, read = FORMS[form]
    event = reading(Reading, 1000)
    payload = write(event)
    if read(payload) != event:
        raise RuntimeError(f"{form} does not bring the event back")
    library = library_us(form, payload, convert)
    figures = {
        "write": library["write"] + 1e6 * median_s(time.process_time, write, event, calls=1000),
        "read": library["read"] + 1e6 * median_s(time.process_time, read, payload, calls=1000),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
