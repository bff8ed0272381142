// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// After a publish with timeout 0 that found the queue full, the publisher's fd becomes
// readable once there is room, so that an event loop publishes without a wait.
#include "bus.h"

static int try_publish(juicebus_publisher_t pub) {
    return juicebus_publisher_publish(pub, "Temp", NULL, EMPTY_MAP, EMPTY_MAP_SIZE, 0);
}

int main(void) {
    const char *pub_uri = own_ipc_uri("pub");
    int64_t deadline_ms;
    juicebus_publisher_options options;
    juicebus_publisher_t pub;
    juicebus_proxy_t proxy;
    int fd, status;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.max_events = 1;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(pub_uri, &options, &pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_fd(pub, &fd));
    CHECK_STATUS(JUICEBUS_OK, try_publish(pub));
    CHECK_STATUS(JUICEBUS_TIMEOUT, try_publish(pub));
    CHECK(!is_readable(fd, 0));
    proxy = proxy_open_at(pub_uri, "tcp://127.0.0.1:0");
    deadline_ms = now_ms() + DEADLINE_MS;
    while ((status = try_publish(pub)) == JUICEBUS_TIMEOUT) {
        CHECK(now_ms() < deadline_ms);
        CHECK(is_readable(fd, DEADLINE_MS));
    }
    CHECK_STATUS(JUICEBUS_OK, status);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1000));
    CHECK(close(fd) == 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));
    return 0;
}
