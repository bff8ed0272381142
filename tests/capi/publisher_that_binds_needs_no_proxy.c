// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A publisher with `bind` serves subscribers that connect to it; before the first one
// comes it waits and says E_NOT_CONNECTED.
#include "bus.h"

int main(void) {
    const char *uri = own_ipc_uri("bound");
    juicebus_publisher_options options;
    struct juicebus_publisher_stats stats;
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;
    juicebus_event event;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.bind = 1;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(uri, &options, &pub));
    CHECK_STATUS(JUICEBUS_E_NOT_CONNECTED,
                 juicebus_publisher_publish(pub, "Temp", NULL, EMPTY_MAP, EMPTY_MAP_SIZE, 20));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(uri, NULL, &sub));
    subscribe(sub, "Temp", NULL);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_wait_connected(pub, DEADLINE_MS));
    publish(pub, "Temp", "direct");
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
    CHECK_TEXT("direct", event.topic);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(pub, &stats));
    CHECK(stats.dropped == 0 && stats.events > 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1000));
    return 0;
}
