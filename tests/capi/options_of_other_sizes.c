// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Options as an older header had them are accepted: what lies behind struct_size is
// not read and has its default. Options of a newer header are accepted while what is
// new in them is 0. A size that no version had is E_INVALID, a value out of range too.
#include "bus.h"

#include <stddef.h>

static void of_publisher(bus b) {
    struct {
        juicebus_publisher_options known;
        char newer[64];
    } options;
    juicebus_publisher_t pub;

    memset(&options, 0, sizeof options);
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_options_init(&options.known, sizeof options.known));
    CHECK(options.known.struct_size == sizeof options.known);
    CHECK(options.known.max_events == 100000 && options.known.max_event_bytes == 67108864);
    CHECK(options.known.bind == 0 && options.known.check_payload == 1);
    CHECK(options.known.max_bytes == 67108864 && options.known.heartbeat_ms == 1000);
    CHECK(options.known.overflow == JUICEBUS_OVERFLOW_BLOCK);

    options.known.struct_size = sizeof options;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, &options.known, &pub));
    close_at_once(pub);
    options.newer[63] = 1;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_open(b.pub_uri, &options.known, &pub));

    options.known.max_event_bytes = -3;
    options.known.struct_size = offsetof(juicebus_publisher_options, max_event_bytes);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, &options.known, &pub));
    close_at_once(pub);
    options.known.struct_size = sizeof options.known;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_open(b.pub_uri, &options.known, &pub));
    CHECK_ERROR_NAMES("-3");
    options.known.struct_size = 0;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_open(b.pub_uri, &options.known, &pub));
    CHECK_ERROR_NAMES("struct_size");
}

static void of_subscriber(bus b) {
    struct {
        juicebus_subscriber_options known;
        char newer[64];
    } options;
    juicebus_subscriber_t sub;

    memset(&options, 0, sizeof options);
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_subscriber_options_init(&options.known, sizeof options.known));
    CHECK(options.known.struct_size == sizeof options.known);
    CHECK(options.known.max_events == 100000 && options.known.max_event_bytes == 67108864);
    CHECK(options.known.max_bytes == 67108864 && options.known.heartbeat_ms == 1000);
    CHECK(options.known.overflow == JUICEBUS_OVERFLOW_DROP_OLDEST);

    options.known.struct_size = sizeof options;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, &options.known, &sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));

    options.known.max_event_bytes = -5;
    options.known.struct_size = offsetof(juicebus_subscriber_options, max_event_bytes);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, &options.known, &sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    options.known.struct_size = sizeof options.known;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_open(b.sub_uri, &options.known, &sub));
    CHECK_ERROR_NAMES("-5");
    options.known.struct_size = sizeof(size_t) - 1;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_open(b.sub_uri, &options.known, &sub));
    CHECK_ERROR_NAMES("struct_size");
}

static void of_proxy(void) {
    static const char any[] = "tcp://127.0.0.1:0";
    struct {
        juicebus_proxy_options known;
        char newer[64];
    } options;
    juicebus_proxy_t proxy;

    memset(&options, 0, sizeof options);
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_options_init(&options.known, sizeof options.known));
    CHECK(options.known.struct_size == sizeof options.known && options.known.hold_ms == 500);
    CHECK(options.known.max_event_bytes == 67108864);
    CHECK(options.known.max_keys == 10000 && options.known.max_bytes == 67108864);
    CHECK(options.known.max_subscriptions == 25000);

    options.known.struct_size = sizeof options;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(any, any, &options.known, &proxy));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));

    options.known.max_keys = -1;
    options.known.struct_size = offsetof(juicebus_proxy_options, max_keys);
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(any, any, &options.known, &proxy));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));
    options.known.struct_size = sizeof options.known;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_proxy_open(any, any, &options.known, &proxy));
    CHECK_ERROR_NAMES("-1");
    options.known.struct_size = 0;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_proxy_open(any, any, &options.known, &proxy));
    CHECK_ERROR_NAMES("struct_size");
}

// Writes no further than the size says: the program's struct may be an older one.
static void init_stays_within_its_size(void) {
    juicebus_publisher_options options;
    const size_t old_size = offsetof(juicebus_publisher_options, max_event_bytes);

    memset(&options, 0, sizeof options);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, old_size));
    CHECK(options.struct_size == old_size && options.max_events == 100000);
    CHECK(options.max_event_bytes == 0 && options.check_payload == 0);
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_options_init(&options, 0));
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_options_init(
                                         (juicebus_subscriber_options *)(void *)&options, 1));
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_proxy_options_init((juicebus_proxy_options *)(void *)&options, 7));
}

int main(void) {
    bus b = bus_open();
    of_publisher(b);
    of_subscriber(b);
    of_proxy();
    init_stays_within_its_size();
    bus_close(b);
    return 0;
}
