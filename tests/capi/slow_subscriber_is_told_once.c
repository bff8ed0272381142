// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A subscriber that nobody takes from keeps the newest events up to its limit. What it
// drops is counted as dropped and as lost; one notice and the next batch tell of it.
#include "bus.h"

enum { ROOM = 50, EVENTS = 2000 };

static struct juicebus_subscriber_stats stats_of(juicebus_subscriber_t sub) {
    struct juicebus_subscriber_stats stats;
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_stats(sub, &stats));
    return stats;
}

static void until_all_have_come(juicebus_subscriber_t sub) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    struct juicebus_subscriber_stats stats;
    do {
        CHECK(now_ms() < deadline_ms);
        stats = stats_of(sub);
    } while (stats.dropped + stats.pending_events < EVENTS);
    CHECK(stats.pending_events <= ROOM && stats.slow == 1);
}

static void takes_the_newest(juicebus_subscriber_t sub) {
    juicebus_batch batch;
    int next = (int)stats_of(sub).dropped;

    while (next < EVENTS) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get_many(sub, ROOM, DEADLINE_MS, &batch));
        CHECK(batch.slow == 1);
        for (size_t i = 0; i < batch.count; i++)
            CHECK(atoi(batch.events[i].topic) == next++);
        CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
    }
}

static int slow_notices(juicebus_subscriber_t sub) {
    juicebus_notice notice;
    int count = 0;
    while (juicebus_next_notice(sub, &notice) == JUICEBUS_OK)
        count += notice.kind == JUICEBUS_NOTICE_SLOW;
    return count;
}

int main(void) {
    bus b = bus_open();
    juicebus_subscriber_options options;
    juicebus_subscriber_t sub;
    char topic[16];

    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_options_init(&options, sizeof options));
    options.max_events = ROOM;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, &options, &sub));
    subscribe(sub, "Temp", NULL);
    settle(b.pub, sub);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(topic, sizeof topic, "%d", i);
        publish(b.pub, "Temp", topic);
    }
    until_all_have_come(sub);
    takes_the_newest(sub);
    CHECK(slow_notices(sub) == 1);
    CHECK(stats_of(sub).events + stats_of(sub).dropped == EVENTS);
    CHECK(stats_of(sub).lost == (int64_t)stats_of(sub).dropped);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    bus_close(b);
    return 0;
}
