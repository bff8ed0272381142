# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
"""A blocking Python service: one thread publishes, another one receives.

    blocking_service.py PUBLISHER_URI SUBSCRIBER_URI [NAME …]

It publishes an alarm of its own and a temperature, a class of Juice, every 50 ms,
and prints `got <name> <topic>` for each event that it receives (without names: of
all types), until its standard input ends.
"""

from __future__ import annotations

import select
import sys
import threading
from typing import Any

from orangeqs.juice.fridge.data_structures import TemperaturePoint

from events import EVENT_TYPES, FridgeAlarm
from juicebus import PublisherBlocking, SubscriberBlocking

SERVICE = "python-blocking"


def receive(subscriber: SubscriberBlocking[Any]) -> None:
    """Print what comes; the iteration ends when the subscriber is closed."""
    for event in subscriber:
        print("got", event.name(), event.topic() or "", flush=True)


def publish(publisher: PublisherBlocking) -> None:
    """Publish both events every 50 ms until standard input ends."""
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        publisher.publish(FridgeAlarm(service=SERVICE, text="0.1 K über dem Sollwert"))
        publisher.publish(
            TemperaturePoint(
                service_name=SERVICE,
                component_id="cryostat",
                sensor_id="still",
                temperature=0.8,
            )
        )


def main(publisher_uri: str, subscriber_uri: str, *names: str) -> None:
    """Run the service."""
    with (
        PublisherBlocking(publisher_uri) as publisher,
        SubscriberBlocking[Any](subscriber_uri) as subscriber,
    ):
        for event_type in EVENT_TYPES:
            if not names or event_type.name() in names:
                subscriber.subscribe(event_type)
        receiving = threading.Thread(target=receive, args=[subscriber])
        receiving.start()
        try:
            publish(publisher)
        finally:
            subscriber.close()
            receiving.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
