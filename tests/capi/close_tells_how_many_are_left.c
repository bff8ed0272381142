// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A close that could not hand over says how many events are left, and wait_closed how
// many were given up that no close waited for, once.
#include "bus.h"

enum { EVENTS = 3 };

static juicebus_publisher_t without_a_proxy(void) {
    juicebus_publisher_t pub;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(own_ipc_uri("nobody"), NULL, &pub));
    for (int i = 0; i < EVENTS; i++)
        publish(pub, "Temp", NULL);
    return pub;
}

int main(void) {
    juicebus_publisher_t pub = without_a_proxy();
    uint64_t left = 77, given_up = 77;

    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_publisher_close_counted(pub, 1500, &left));
    CHECK(left == EVENTS);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1500));
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_publisher_close_counted(pub, 1500, &left));
    CHECK(left == EVENTS);
    CHECK_STATUS(JUICEBUS_OK, juicebus_wait_closed(DEADLINE_MS, &given_up));
    CHECK(given_up == 0);

    pub = without_a_proxy();
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_publisher_close_counted(pub, 0, &left));
    CHECK(left == EVENTS);
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_wait_closed(0, &given_up));
    CHECK(given_up == 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_wait_closed(DEADLINE_MS, &given_up));
    CHECK(given_up == EVENTS);
    CHECK_STATUS(JUICEBUS_OK, juicebus_wait_closed(DEADLINE_MS, &given_up));
    CHECK(given_up == 0);
    return 0;
}
