// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Who is no juicebus proxy confirms nothing: ready and flush say so soon, whatever the
// timeout, instead of OK. Here a publisher that binds is there in a proxy's place.
#include "bus.h"

int main(void) {
    const char *uri = own_ipc_uri("direct");
    juicebus_publisher_options options;
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;
    int64_t started_ms;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.bind = 1;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(uri, &options, &pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(uri, NULL, &sub));
    subscribe(sub, "Temp", NULL);
    started_ms = now_ms();
    CHECK_STATUS(JUICEBUS_UNCONFIRMED, juicebus_subscriber_ready(sub, 60000));
    CHECK_STATUS(JUICEBUS_UNCONFIRMED, juicebus_publisher_flush(pub, 60000));
    CHECK(now_ms() - started_ms < DEADLINE_MS);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1000));
    return 0;
}
