// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// However large `max` is, one call takes at most 1,024 events or about 1 MiB of
// payload, but always one event; the rest is there for the next call.
#include "bus.h"

enum { EVENTS = 3000, BIG = 3 * 1024 * 1024 };

// Waits until all events that are to come have come, so that a batch could be larger.
static void all_published(bus b) {
    struct juicebus_proxy_stats stats;
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    stats.struct_size = sizeof stats;
    do {
        CHECK(now_ms() < deadline_ms);
        CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_stats(b.proxy, &stats));
    } while (stats.events < EVENTS);
}

static void many_small_ones(bus b) {
    juicebus_batch batch;
    size_t taken = 0;
    for (int i = 0; i < EVENTS; i++)
        publish(b.pub, "Temp", NULL);
    all_published(b);
    while (taken < EVENTS) {
        CHECK_STATUS(JUICEBUS_OK,
                     juicebus_subscriber_get_many(b.sub, SIZE_MAX, DEADLINE_MS, &batch));
        CHECK(batch.count >= 1 && batch.count <= 1024);
        taken += batch.count;
        CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
    }
    CHECK(taken == EVENTS);
}

static void few_large_ones(bus b) {
    juicebus_batch batch;
    char *json = (char *)malloc(BIG);
    CHECK(json != NULL);
    memset(json, ' ', BIG);
    json[0] = '{';
    json[BIG - 1] = '}';
    for (int i = 0; i < 2; i++)
        CHECK_STATUS(JUICEBUS_OK,
                     juicebus_publisher_publish(b.pub, "Temp", NULL, json, BIG, DEADLINE_MS));
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get_many(b.sub, 10, DEADLINE_MS, &batch));
        CHECK(batch.count == 1 && batch.events[0].payload_size == BIG);
        CHECK(memcmp(batch.events[0].payload, json, BIG) == 0);
        CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
    }
    free(json);
}

int main(void) {
    bus b = bus_open();
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    many_small_ones(b);
    few_large_ones(b);
    bus_close(b);
    return 0;
}
