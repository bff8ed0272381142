// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A timeout waits its time and no longer, 0 does not wait, and a number below -1 is
// E_INVALID for every function that takes one.
#include "every_call.h"

static void negative_is_invalid(bus b, int64_t timeout_ms) {
    juicebus_frame frames[2] = {frame_of("Temp.", 5), frame_of(EMPTY_MAP, EMPTY_MAP_SIZE)};
    juicebus_event event;
    juicebus_batch batch;
    uint64_t left;

    memset(&event, 0, sizeof event);
    event.name = "Temp";
    event.payload = EMPTY_MAP;
    event.payload_size = EMPTY_MAP_SIZE;
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_publisher_publish(b.pub, "Temp", NULL, EMPTY_MAP, 1, timeout_ms));
    CHECK_ERROR_NAMES("timeout");
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_publisher_publish_many(b.pub, &event, 1, timeout_ms, NULL));
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_publisher_publish_packed(b.pub, "", 0, timeout_ms, NULL));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_send_packed(b.pub, "", 0, timeout_ms));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_send_frames(b.pub, frames, 2, timeout_ms));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_wait_connected(b.pub, timeout_ms));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_flush(b.pub, timeout_ms));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_flush_first(b.pub, 0, timeout_ms));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_close(b.pub, timeout_ms));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_close_counted(b.pub, timeout_ms, &left));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_wait_closed(timeout_ms, NULL));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_ready(b.sub, timeout_ms));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_get(b.sub, timeout_ms, &event));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_get_many(b.sub, 1, timeout_ms, &batch));
    CHECK_ERROR_NAMES("timeout");
}

static void get_waits(bus b, int64_t timeout_ms) {
    juicebus_event event;
    juicebus_batch batch;
    int64_t started_ms = now_ms(), middle_ms, end_ms;

    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_subscriber_get(b.sub, timeout_ms, &event));
    middle_ms = now_ms();
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_subscriber_get_many(b.sub, 9, timeout_ms, &batch));
    end_ms = now_ms();
    CHECK(middle_ms - started_ms >= timeout_ms - 1 && end_ms - middle_ms >= timeout_ms - 1);
    CHECK(middle_ms - started_ms < timeout_ms + 500 && end_ms - middle_ms < timeout_ms + 500);
}

int main(void) {
    bus b = bus_open();
    negative_is_invalid(b, -2);
    negative_is_invalid(b, INT64_MIN);
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    get_waits(b, 0);
    get_waits(b, 1);
    get_waits(b, 230);
    bus_close(b);
    return 0;
}
