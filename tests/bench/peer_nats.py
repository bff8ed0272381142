# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""nats-py as a peer, with nats-server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import nats

from reading import NAME, SENSOR, payload_of
from stream import NUMBER_OF_PAYLOAD, Receiver, Sender

SUBJECT = f"{NAME}.{SENSOR}"


async def sender(
    twin: str, unit: str, content: str, uri: str
) -> tuple[Sender, Callable[[int], Any]]:
    client = await nats.connect(uri)
    return Sender(partial(client.publish, SUBJECT), is_async=True), payload_of


async def receiver(twin: str, unit: str, content: str, uri: str) -> Receiver:
    client = await nats.connect(uri)
    subscription = await client.subscribe(SUBJECT)
    # Without its default limit of a second, which costs it more.
    get = partial(subscription.next_msg, None)
    return Receiver(get, lambda message: NUMBER_OF_PAYLOAD(message.data), is_async=True)
