# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""eclipse-zenoh as a peer: clients of one router, which block rather than drop."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import zenoh

from reading import NAME, SENSOR, payload_of
from stream import NUMBER_OF_PAYLOAD, WINDOW, Receiver, Sender

KEY = f"{NAME}/{SENSOR}"

# What is declared in a session does not keep it open.
_sessions: list[zenoh.Session] = []


def session(uri: str) -> zenoh.Session:
    config = zenoh.Config()
    config.insert_json5("mode", '"client"')
    config.insert_json5("connect/endpoints", json.dumps([uri]))
    config.insert_json5("scouting/multicast/enabled", "false")
    opened = zenoh.open(config)
    _sessions.append(opened)
    return opened


async def sender(
    twin: str, unit: str, content: str, uri: str
) -> tuple[Sender, Callable[[int], Any]]:
    publisher = session(uri).declare_publisher(
        KEY, congestion_control=zenoh.CongestionControl.BLOCK
    )
    return Sender(publisher.put), payload_of


async def receiver(twin: str, unit: str, content: str, uri: str) -> Receiver:
    subscriber = session(uri).declare_subscriber(KEY, zenoh.handlers.FifoChannel(2 * WINDOW))
    return Receiver(subscriber.recv, lambda sample: NUMBER_OF_PAYLOAD(sample.payload.to_bytes()))
