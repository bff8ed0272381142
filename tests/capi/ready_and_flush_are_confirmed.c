// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// What is published after ready has said OK is received, and what was published before
// flush has said OK is the proxy's: nothing is unconfirmed any more.
#include "bus.h"

static uint64_t unconfirmed(juicebus_publisher_t pub) {
    struct juicebus_publisher_stats stats;
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(pub, &stats));
    return stats.unconfirmed;
}

int main(void) {
    enum { EVENTS = 300 };
    bus b = bus_open();
    juicebus_event event;

    for (int round = 0; round < 3; round++) {
        char name[16];
        snprintf(name, sizeof name, "Temp%d", round);
        subscribe(b.sub, name, NULL);
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_ready(b.sub, DEADLINE_MS));
        for (int i = 0; i < EVENTS; i++)
            publish(b.pub, name, NULL);
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_flush_first(b.pub, EVENTS, DEADLINE_MS));
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_flush(b.pub, DEADLINE_MS));
        CHECK(unconfirmed(b.pub) == 0);
        for (int i = 0; i < EVENTS; i++) {
            CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
            CHECK_TEXT(name, event.name);
            CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
        }
    }
    bus_close(b);
    return 0;
}
