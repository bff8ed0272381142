// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// After close every function says CLOSED, also once new handles exist; closing twice
// is OK, and as the wrong kind it stays E_HANDLE.
#include "every_call.h"

static void all_closed(bus closed) {
    every_publisher_call_gives(JUICEBUS_CLOSED, closed.pub);
    every_subscriber_call_gives(JUICEBUS_CLOSED, closed.sub);
    every_proxy_call_gives(JUICEBUS_CLOSED, closed.proxy);
    every_notice_call_gives(JUICEBUS_CLOSED, closed.pub);
    every_notice_call_gives(JUICEBUS_CLOSED, closed.sub);
    every_subscriber_call_gives(JUICEBUS_E_HANDLE, closed.pub);
    bus_close(closed);
}

int main(void) {
    bus old = bus_open();
    bus_close(old);
    all_closed(old);
    for (int i = 0; i < 100; i++) {
        bus other = bus_open();
        CHECK(other.pub != old.pub && other.sub != old.sub && other.proxy != old.proxy);
        bus_close(other);
    }
    all_closed(old);
    return 0;
}
