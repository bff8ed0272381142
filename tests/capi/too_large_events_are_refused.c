// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// An event over max_event_bytes (key and payload): the publisher refuses it with
// E_TOO_LARGE and both sizes, the subscriber skips and counts it, the proxy refuses it
// from whoever sends it; and each of them goes on with the next event.
#include "bus.h"

enum { LIMIT = 1000 };

// {"a":"xxx…"} of this many bytes.
static const char *json_of(size_t size) {
    static char json[2 * LIMIT];
    memset(json, 'x', size);
    memcpy(json, "{\"a\":\"", 6);
    memcpy(json + size - 2, "\"}", 2);
    return json;
}

static int publish_sized(juicebus_publisher_t pub, size_t event_bytes) {
    size_t size = event_bytes - strlen("Temp.a.");
    return juicebus_publisher_publish(pub, "Temp", "a", json_of(size), size, DEADLINE_MS);
}

static void next_has(juicebus_subscriber_t sub, size_t event_bytes) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
    CHECK(event.payload_size == event_bytes - strlen("Temp.a."));
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

static void by_the_publisher(bus b) {
    juicebus_publisher_options options;
    juicebus_publisher_t pub;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.max_event_bytes = LIMIT;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, &options, &pub));
    CHECK_STATUS(JUICEBUS_E_TOO_LARGE, publish_sized(pub, LIMIT + 1));
    CHECK_ERROR_NAMES("1000");
    CHECK_ERROR_NAMES("1001");
    CHECK_STATUS(JUICEBUS_OK, publish_sized(pub, LIMIT));
    next_has(b.sub, LIMIT);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1000));
}

static void by_the_subscriber(bus b) {
    juicebus_subscriber_options options;
    struct juicebus_subscriber_stats stats;
    juicebus_subscriber_t sub;

    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_options_init(&options, sizeof options));
    options.max_event_bytes = LIMIT;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, &options, &sub));
    subscribe(sub, "Temp", NULL);
    settle(b.pub, sub);
    CHECK_STATUS(JUICEBUS_OK, publish_sized(b.pub, LIMIT + 1));
    CHECK_STATUS(JUICEBUS_OK, publish_sized(b.pub, LIMIT));
    next_has(sub, LIMIT);
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_stats(sub, &stats));
    CHECK(stats.dropped == 1);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
}

static void by_the_proxy(void) {
    bus b = bus_open();
    juicebus_proxy_options options;
    juicebus_event event;
    int64_t deadline_ms = now_ms() + DEADLINE_MS;

    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(b.proxy));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_options_init(&options, sizeof options));
    options.max_event_bytes = LIMIT;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(b.pub_uri, b.sub_uri, &options, &b.proxy));
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    CHECK_STATUS(JUICEBUS_OK, publish_sized(b.pub, 2 * LIMIT - 100));
    do { // it may have cost the connection, but only for a moment
        CHECK(now_ms() < deadline_ms);
        CHECK_STATUS(JUICEBUS_OK, publish_sized(b.pub, LIMIT));
    } while (juicebus_subscriber_get(b.sub, 50, &event) == JUICEBUS_TIMEOUT);
    CHECK(event.payload_size == LIMIT - strlen("Temp.a."));
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    bus_close(b);
}

int main(void) {
    bus b = bus_open();
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    by_the_publisher(b);
    by_the_subscriber(b);
    bus_close(b);
    by_the_proxy();
    return 0;
}
