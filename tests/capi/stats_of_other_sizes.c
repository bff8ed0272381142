// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Stats fill in no more than struct_size says, so that a program built against an
// older header keeps the memory behind its struct; a larger one is fine.
#include "bus.h"

#include <stddef.h>

enum { UNTOUCHED = 0xEE };

typedef int (*stats_call)(uint64_t handle, void *stats);

static int publisher_stats(uint64_t handle, void *stats) {
    return juicebus_publisher_stats(handle, (struct juicebus_publisher_stats *)stats);
}

static int subscriber_stats(uint64_t handle, void *stats) {
    return juicebus_subscriber_stats(handle, (struct juicebus_subscriber_stats *)stats);
}

static int proxy_stats(uint64_t handle, void *stats) {
    return juicebus_proxy_stats(handle, (struct juicebus_proxy_stats *)stats);
}

// In all three structs the first count is `events`, behind struct_size.
static void fills_in_only(size_t size, uint64_t handle, stats_call call) {
    union {
        size_t struct_size;
        uint64_t words[32];
        unsigned char bytes[256];
    } stats;

    memset(&stats, UNTOUCHED, sizeof stats);
    stats.struct_size = size;
    CHECK_STATUS(JUICEBUS_OK, call(handle, &stats));
    CHECK(stats.struct_size == size);
    CHECK(stats.words[1] >= 1 && stats.words[1] < 1000000);
    for (size_t at = size; at < sizeof stats; at++)
        CHECK(stats.bytes[at] == UNTOUCHED);
}

// The proxy counts what it has forwarded a moment later.
static void proxy_has_counted(bus b) {
    struct juicebus_proxy_stats stats;
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    stats.struct_size = sizeof stats;
    do {
        CHECK(now_ms() < deadline_ms);
        CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_stats(b.proxy, &stats));
    } while (stats.events == 0);
}

static void is_invalid(size_t size, uint64_t handle, stats_call call) {
    uint64_t stats[32];
    memset(stats, 0, sizeof stats);
    memcpy(stats, &size, sizeof size);
    CHECK_STATUS(JUICEBUS_E_INVALID, call(handle, stats));
    CHECK_ERROR_NAMES("struct_size");
}

static void of(uint64_t handle, size_t size, stats_call call) {
    fills_in_only(sizeof(size_t) + sizeof(uint64_t), handle, call);
    fills_in_only(size, handle, call);
    fills_in_only(size + 64, handle, call);
    is_invalid(0, handle, call);
    is_invalid(sizeof(size_t) - 1, handle, call);
}

int main(void) {
    bus b = bus_open();
    juicebus_event event;
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    publish(b.pub, "Temp", NULL);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    proxy_has_counted(b);
    of(b.pub, sizeof(struct juicebus_publisher_stats), publisher_stats);
    of(b.sub, sizeof(struct juicebus_subscriber_stats), subscriber_stats);
    of(b.proxy, sizeof(struct juicebus_proxy_stats), proxy_stats);
    bus_close(b);
    return 0;
}
