// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A full queue drops the oldest or the newest event, as the options say, and does not
// wait; each is counted, and one notice tells of all of them. The subscriber's queue
// cannot block.
#include "bus.h"

enum { ROOM = 3, EVENTS = 10 };

static juicebus_publisher_t fill(const char *uri, int overflow) {
    juicebus_publisher_options options;
    juicebus_publisher_t pub;
    char topic[16];

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.max_events = ROOM;
    options.overflow = overflow;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(uri, &options, &pub));
    for (int i = 0; i < EVENTS; i++) {
        snprintf(topic, sizeof topic, "%d", i);
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(pub, "Temp", topic, EMPTY_MAP, 1, -1));
    }
    return pub;
}

static void are_counted_and_told_once(juicebus_publisher_t pub) {
    struct juicebus_publisher_stats stats;
    juicebus_notice notice;

    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(pub, &stats));
    CHECK(stats.dropped == EVENTS - ROOM && stats.pending_events == ROOM);
    CHECK_STATUS(JUICEBUS_OK, juicebus_next_notice(pub, &notice));
    CHECK(notice.kind == JUICEBUS_NOTICE_SLOW);
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_next_notice(pub, &notice));
}

static void keeps(int overflow, int first) {
    const char *pub_uri = own_ipc_uri("pub"), *sub_uri = own_ipc_uri("sub");
    juicebus_publisher_t pub = fill(pub_uri, overflow);
    juicebus_subscriber_t sub;
    juicebus_proxy_t proxy;
    juicebus_event event;

    are_counted_and_told_once(pub);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(sub_uri, NULL, &sub));
    subscribe(sub, "Temp", NULL);
    // Its hold gives the subscriber the time to come.
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(pub_uri, sub_uri, NULL, &proxy));
    for (int i = first; i < first + ROOM; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
        CHECK(atoi(event.topic) == i);
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1000));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));
}

static void subscriber_cannot_block(void) {
    juicebus_subscriber_options options;
    juicebus_subscriber_t sub;

    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_options_init(&options, sizeof options));
    options.overflow = JUICEBUS_OVERFLOW_BLOCK;
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_subscriber_open(own_ipc_uri("nobody"), &options, &sub));
    CHECK_ERROR_NAMES("overflow");
}

int main(void) {
    keeps(JUICEBUS_OVERFLOW_DROP_OLDEST, EVENTS - ROOM);
    keeps(JUICEBUS_OVERFLOW_DROP_NEWEST, 0);
    subscriber_cannot_block();
    return 0;
}
