// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// What publishers send in the proxy's first hold_ms is kept and then forwarded, so that
// a subscriber that comes meanwhile receives it, in order.
#include "bus.h"

int main(void) {
    bus b = bus_open();
    juicebus_proxy_options options;
    juicebus_event event;

    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(b.proxy));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_options_init(&options, sizeof options));
    options.hold_ms = 3000;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(b.pub_uri, b.sub_uri, &options, &b.proxy));
    publish(b.pub, "Temp", "1");
    publish(b.pub, "Temp", "2");
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
