// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// 0, numbers that never were a handle and handles of another kind: E_HANDLE from
// every function; for the latter the text names both kinds.
#include "every_call.h"

static const uint64_t never_handles[] = {0, 1, 77, UINT64_C(1) << 32, UINT64_MAX};

static void as_publisher(uint64_t handle) {
    every_publisher_call_gives(JUICEBUS_E_HANDLE, handle);
    CHECK_STATUS(JUICEBUS_E_HANDLE, juicebus_publisher_close(handle, 0));
}

static void as_subscriber(uint64_t handle) {
    every_subscriber_call_gives(JUICEBUS_E_HANDLE, handle);
    CHECK_STATUS(JUICEBUS_E_HANDLE, juicebus_subscriber_close(handle));
}

static void as_proxy(uint64_t handle) {
    every_proxy_call_gives(JUICEBUS_E_HANDLE, handle);
    CHECK_STATUS(JUICEBUS_E_HANDLE, juicebus_proxy_close(handle));
}

int main(void) {
    bus b = bus_open();
    for (size_t i = 0; i < sizeof never_handles / sizeof never_handles[0]; i++) {
        as_publisher(never_handles[i]);
        as_subscriber(never_handles[i]);
        as_proxy(never_handles[i]);
        every_notice_call_gives(JUICEBUS_E_HANDLE, never_handles[i]);
    }
    as_publisher(b.sub);
    CHECK_ERROR_NAMES("publisher");
    CHECK_ERROR_NAMES("subscriber");
    as_publisher(b.proxy);
    as_subscriber(b.pub);
    as_subscriber(b.proxy);
    CHECK_ERROR_NAMES("proxy");
    as_proxy(b.pub);
    as_proxy(b.sub);
    every_notice_call_gives(JUICEBUS_E_HANDLE, b.proxy);
    bus_close(b);
    return 0;
}
