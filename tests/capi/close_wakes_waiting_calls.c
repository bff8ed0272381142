// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Closing a handle ends what other threads wait for in it, for ever or for the longest
// time there is: they return CLOSED within 100 ms.
#include "thread.h"

static int get(uint64_t handle) {
    juicebus_event event;
    return juicebus_subscriber_get(handle, -1, &event);
}

static int get_for_ages(uint64_t handle) {
    juicebus_event event;
    return juicebus_subscriber_get(handle, INT64_MAX, &event);
}

static int get_many(uint64_t handle) {
    juicebus_batch batch;
    return juicebus_subscriber_get_many(handle, 10, -1, &batch);
}

static int publish_one(uint64_t handle) {
    return juicebus_publisher_publish(handle, "Temp", NULL, EMPTY_MAP, EMPTY_MAP_SIZE, -1);
}

static int wait_connected(uint64_t handle) {
    return juicebus_publisher_wait_connected(handle, -1);
}

static int flush(uint64_t handle) {
    return juicebus_publisher_flush(handle, -1);
}

static int ready(uint64_t handle) {
    return juicebus_subscriber_ready(handle, -1);
}

static juicebus_publisher_t publisher_with_a_full_queue(const char *uri) {
    juicebus_publisher_options options;
    juicebus_publisher_t pub;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.max_events = 1;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(uri, &options, &pub));
    publish(pub, "Temp", NULL);
    return pub;
}

// Two threads wait, since one that is woken must not keep the wake-up from the other.
static void wakes(waiting_call call, uint64_t handle, int is_publisher) {
    waiter first, second;
    int64_t closed_ms;

    waiter_start(&first, call, handle);
    waiter_start(&second, call, handle);
    closed_ms = now_ms();
    if (is_publisher)
        close_at_once(handle);
    else
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(handle));
    CHECK_STATUS(JUICEBUS_CLOSED, waiter_join(&first));
    CHECK_STATUS(JUICEBUS_CLOSED, waiter_join(&second));
    CHECK(first.done_ms - closed_ms < 100);
    CHECK(second.done_ms - closed_ms < 100);
}

int main(void) {
    static const waiting_call of_subscribers[] = {get, get_for_ages, get_many, ready};
    static const waiting_call of_publishers[] = {publish_one, wait_connected, flush};
    const char *nobody_there = own_ipc_uri("nobody");

    for (int i = 0; i < 4; i++) {
        juicebus_subscriber_t sub;
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(nobody_there, NULL, &sub));
        subscribe(sub, "Temp", NULL);
        wakes(of_subscribers[i], sub, 0);
    }
    for (int i = 0; i < 3; i++)
        wakes(of_publishers[i], publisher_with_a_full_queue(nobody_there), 1);
    return 0;
}
