// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A subscriber's fd is readable until all events are taken, whoever takes them and in
// whatever steps, although subscribe touches the socket in between; it is silent when
// nothing is there, and readable for good once the subscriber is closed.
#include "bus.h"

static void take(bus b, int count) {
    juicebus_event event;
    while (count-- > 0) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
}

// What its text prescribes: take with timeout 0 until nothing comes, until it is silent.
static void drain(bus b, int fd) {
    juicebus_event event;
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    while (is_readable(fd, 0)) {
        CHECK(now_ms() < deadline_ms);
        CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_subscriber_get(b.sub, 0, &event));
    }
}

int main(void) {
    bus b = bus_open();
    int fd, other, second;
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_fd(b.sub, &fd));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_fd(b.sub, &other));
    CHECK(fd != other);
    drain(b, fd);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 5; i++)
            publish(b.pub, "Temp", NULL);
        CHECK(is_readable(fd, DEADLINE_MS) && is_readable(other, 0));
        take(b, 2);
        CHECK(is_readable(fd, DEADLINE_MS));
        subscribe(b.sub, "Temp", round % 2 == 0 ? "a" : "b");
        CHECK(is_readable(fd, DEADLINE_MS));
        take(b, 3);
        drain(b, fd);
    }
    CHECK(close(other) == 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(b.sub));
    CHECK(is_readable(fd, 0) && is_readable(fd, 0));
    CHECK_STATUS(JUICEBUS_CLOSED, juicebus_subscriber_fd(b.sub, &second));
    CHECK(close(fd) == 0);
    bus_close(b);
    return 0;
}
