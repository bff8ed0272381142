// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Closing a publisher gives its last events to the network: none of them is missing,
// whether close waits or wait_closed does.
#include "bus.h"

enum { EVENTS = 2000 };

static void publish_and_close(bus b, int64_t close_timeout_ms) {
    juicebus_publisher_t pub;
    int status;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, NULL, &pub));
    for (int i = 0; i < EVENTS; i++)
        publish(pub, "Temp", NULL);
    status = juicebus_publisher_close(pub, close_timeout_ms);
    if (close_timeout_ms == 0 && status == JUICEBUS_TIMEOUT)
        status = juicebus_wait_closed(DEADLINE_MS, NULL);
    CHECK_STATUS(JUICEBUS_OK, status);
}

static void all_arrive(bus b) {
    juicebus_event event;
    for (int i = 0; i < EVENTS; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
}

int main(void) {
    bus b = bus_open();
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    publish_and_close(b, 5000);
    all_arrive(b);
    publish_and_close(b, 0);
    all_arrive(b);
    CHECK_STATUS(JUICEBUS_OK, juicebus_wait_closed(0, NULL));
    bus_close(b);
    return 0;
}
