// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// What publishers send in the proxy's first hold_ms is kept and then forwarded, so that
// a subscriber that comes meanwhile receives it, in order.
#include "bus.h"

int main(void) {
    juicebus_proxy_options options;
    juicebus_event event;
    bus b;

    strcpy(b.pub_uri, own_ipc_uri("pub"));
    strcpy(b.sub_uri, own_ipc_uri("sub"));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_options_init(&options, sizeof options));
    options.hold_ms = 3000;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(b.pub_uri, b.sub_uri, &options, &b.proxy));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, NULL, &b.pub));
    publish(b.pub, "Temp", "1");
    publish(b.pub, "Temp", "2");
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_wait_connected(b.pub, DEADLINE_MS));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, NULL, &b.sub));
    subscribe(b.sub, "Temp", NULL);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT("1", event.topic);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT("2", event.topic);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    bus_close(b);
    return 0;
}
