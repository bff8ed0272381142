// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Stats count what was published, taken and forwarded, in events and in bytes of key
// and payload; what nobody asked for by name is skipped and counted.
#include "bus.h"

typedef struct counts {
    struct juicebus_publisher_stats pub;
    struct juicebus_subscriber_stats sub;
    struct juicebus_proxy_stats proxy;
} counts;

static counts stats_of(bus b) {
    counts c;
    memset(&c, 0xEE, sizeof c);
    c.pub.struct_size = sizeof c.pub;
    c.sub.struct_size = sizeof c.sub;
    c.proxy.struct_size = sizeof c.proxy;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(b.pub, &c.pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_stats(b.sub, &c.sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_stats(b.proxy, &c.proxy));
    return c;
}

// The proxy counts what it has forwarded a moment later: after settling it has as many
// as the publisher.
static counts stats_when_proxy_counted(bus b, uint64_t events) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    counts c;
    do {
        CHECK(now_ms() < deadline_ms);
        c = stats_of(b);
    } while (c.proxy.events < (events > 0 ? events : c.pub.events));
    return c;
}

static void publish_and_take(bus b, int count) {
    juicebus_event event;
    for (int i = 0; i < count; i++)
        CHECK_STATUS(JUICEBUS_OK,
                     juicebus_publisher_publish(b.pub, "Temp", "a", "{\"k\":1}", 7, DEADLINE_MS));
    for (int i = 0; i < count; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
}

static void are_connected(bus b) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    counts c;
    do {
        CHECK(now_ms() < deadline_ms);
        c = stats_of(b);
    } while (c.pub.connected != 1 || c.sub.connected != 1);
    CHECK(c.pub.reconnects == 0 && c.sub.reconnects == 0);
    CHECK(c.pub.connected_since_unix_ns / 1000000000 >= (int64_t)time(NULL) - 60);
    CHECK(c.sub.connected_since_unix_ns / 1000000000 >= (int64_t)time(NULL) - 60);
}

int main(void) {
    enum { COUNT = 250, EVENT_BYTES = 7 + 7 };
    bus b = bus_open();
    counts before, after;

    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    before = stats_when_proxy_counted(b, 0);
    publish_and_take(b, COUNT);
    after = stats_when_proxy_counted(b, before.proxy.events + COUNT);
    CHECK(after.pub.events - before.pub.events == COUNT);
    CHECK(after.pub.bytes - before.pub.bytes == COUNT * EVENT_BYTES);
    CHECK(after.sub.events - before.sub.events == COUNT);
    CHECK(after.sub.bytes - before.sub.bytes == COUNT * EVENT_BYTES);
    CHECK(after.proxy.events - before.proxy.events == COUNT);
    CHECK(after.proxy.bytes - before.proxy.bytes == COUNT * EVENT_BYTES);
    CHECK(after.pub.dropped == 0 && after.sub.dropped == 0);
    CHECK(after.sub.skipped == 0 && after.proxy.refused == 0);
    CHECK(after.sub.lost == 0 && after.sub.slow == 0);
    CHECK(after.sub.pending_events == 0 && after.sub.pending_bytes == 0);
    CHECK(after.pub.pending_events == 0 && after.pub.pending_bytes == 0);
    CHECK(after.pub.reserved == 0 && after.sub.reserved == 0 && after.proxy.cut_off == 0);
    are_connected(b);
    bus_close(b);
    return 0;
}
