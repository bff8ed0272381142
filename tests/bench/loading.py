# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""Measures what a package adds to a Python process that has pydantic.

    python loading.py juicebus|library|juice|libzmq|PATH

juicebus and juice: the import and the first subscriber. library: the first subscriber
alone, with which libjuicebus.so is loaded. libzmq: that library alone, and a socket of it
that connects. PATH: a library with a function Nothing, which is called. Prints milliseconds,
and MiB of resident memory.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from typing import Any

import pydantic

NOWHERE = "tcp://127.0.0.1:1"


class Model(pydantic.BaseModel):
    """Brings in what pydantic loads late."""

    number: int


def resident_mib() -> float:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class SocketOfLibzmq:
    """A SUB socket, by as few calls as there are."""

    def __init__(self) -> None:
        self._zmq = zmq = ctypes.CDLL("libzmq.so.5")
        zmq.zmq_ctx_new.restype = zmq.zmq_socket.restype = ctypes.c_void_p
        self._socket = ctypes.c_void_p(zmq.zmq_socket(ctypes.c_void_p(zmq.zmq_ctx_new()), 2))
        zmq.zmq_connect(self._socket, NOWHERE.encode())

    def close(self) -> None:
        self._zmq.zmq_close(self._socket)


class Empty:
    """A library that does nothing."""

    def __init__(self, path: str) -> None:
        ctypes.CDLL(path).Nothing()

    def close(self) -> None:
        """Close nothing."""


def open_subscriber(what: str) -> Any:
    if what == "libzmq":
        return SocketOfLibzmq()
    if "/" in what:
        return Empty(what)
    if what == "juice":
        from orangeqs.juice.messaging.zmq import ZMQSubscriberBlocking

        return ZMQSubscriberBlocking(NOWHERE)
    import juicebus

    return juicebus.SubscriberBlocking(NOWHERE)


def main(what: str) -> None:
    Model(number=1)
    if what == "library":
        import juicebus  # noqa: F401
    before_mib, began_s = resident_mib(), time.perf_counter()
    subscriber = open_subscriber(what)
    figures = {
        "ms": (time.perf_counter() - began_s) * 1e3,
        "MiB": resident_mib() - before_mib,
    }
    subscriber.close()
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
