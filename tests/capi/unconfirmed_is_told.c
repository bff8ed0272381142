// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// No proxy of this version confirms subscriptions or arrivals: ready and flush say so
// at once, whatever the timeout, instead of OK.
#include "bus.h"

int main(void) {
    bus b = bus_open();
    int64_t started_ms;

    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    started_ms = now_ms();
    CHECK_STATUS(JUICEBUS_UNCONFIRMED, juicebus_subscriber_ready(b.sub, 60000));
    CHECK_STATUS(JUICEBUS_UNCONFIRMED, juicebus_publisher_flush(b.pub, 60000));
    CHECK(now_ms() - started_ms < 1000);
    bus_close(b);
    return 0;
}
