// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// The last error's text is the calling thread's own: "" before its first error, kept
// over outcomes that are none, and untouched by errors of other threads.
#include "thread.h"

static int fail_in_another_thread(uint64_t handle) {
    CHECK_TEXT("", juicebus_last_error());
    CHECK_STATUS(JUICEBUS_E_HANDLE, juicebus_publisher_close(handle, 0));
    CHECK_ERROR_NAMES("handle");
    return JUICEBUS_OK;
}

int main(void) {
    bus b = bus_open();
    juicebus_event event;
    juicebus_subscriber_t sub;
    pthread_t thread;
    waiter other;
    char kept[512];

    CHECK_TEXT("", juicebus_last_error());
    CHECK_STATUS(JUICEBUS_E_URI, juicebus_subscriber_open("nonsense", NULL, &sub));
    CHECK_ERROR_NAMES("nonsense");
    snprintf(kept, sizeof kept, "%s", juicebus_last_error());
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_subscriber_get(b.sub, 0, &event));
    memset(&other, 0, sizeof other);
    other.call = fail_in_another_thread;
    CHECK(pthread_create(&thread, NULL, waiter_run, &other) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_TEXT(kept, juicebus_last_error());
    bus_close(b);
    return 0;
}
