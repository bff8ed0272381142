// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Events that are published before there is a proxy, in each way, wait in the queue and
// arrive in order when it is there. When the queue is full, publish waits its time and
// says TIMEOUT.
#include "every_call.h"

enum { TIMEOUT_MS = 150 };

static struct juicebus_publisher_stats stats_of(juicebus_publisher_t pub) {
    struct juicebus_publisher_stats stats;
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(pub, &stats));
    return stats;
}

static void queue_three(juicebus_publisher_t pub) {
    juicebus_frame frames[2] = {frame_of("Temp.3.", 7), frame_of(EMPTY_MAP, EMPTY_MAP_SIZE)};
    juicebus_event event;
    size_t sent = 77;

    memset(&event, 0, sizeof event);
    event.name = "Temp";
    event.topic = "2";
    event.payload = EMPTY_MAP;
    event.payload_size = EMPTY_MAP_SIZE;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(pub, "Temp", "1", EMPTY_MAP, 1, 0));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish_many(pub, &event, 1, 0, &sent));
    CHECK(sent == 1);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_send_frames(pub, frames, 2, 0));
}

static void fourth_waits_in_vain(juicebus_publisher_t pub) {
    int64_t started_ms = now_ms();
    CHECK_STATUS(JUICEBUS_TIMEOUT,
                 juicebus_publisher_publish(pub, "Temp", "4", EMPTY_MAP, 1, TIMEOUT_MS));
    CHECK(now_ms() - started_ms >= TIMEOUT_MS - 1);
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_publisher_flush(pub, 0));
}

static void three_arrive(juicebus_subscriber_t sub) {
    static const char *const topics[] = {"1", "2", "3"};
    juicebus_event event;
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
        CHECK_TEXT(topics[i], event.topic);
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
}

int main(void) {
    const char *pub_uri = own_ipc_uri("pub"), *sub_uri = own_ipc_uri("sub");
    juicebus_publisher_options options;
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;
    juicebus_proxy_t proxy;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.max_events = 3;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(pub_uri, &options, &pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(sub_uri, NULL, &sub));
    subscribe(sub, "Temp", NULL);
    queue_three(pub);
    fourth_waits_in_vain(pub);
    CHECK(stats_of(pub).events == 3 && stats_of(pub).pending_events == 3);
    CHECK(stats_of(pub).pending_bytes == stats_of(pub).bytes && stats_of(pub).unconfirmed == 0);

    // Its hold gives the subscriber the time to come.
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(pub_uri, sub_uri, NULL, &proxy));
    three_arrive(sub);
    CHECK(stats_of(pub).pending_events == 0 && stats_of(pub).pending_bytes == 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_flush(pub, DEADLINE_MS));
    CHECK(stats_of(pub).unconfirmed == 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1000));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));
    return 0;
}
