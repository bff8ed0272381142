// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Every pointer that a function needs may be NULL without a crash: E_INVALID, and the
// error text names the argument's function.
#include "bus.h"

#define CHECK_INVALID(call) CHECK_STATUS(JUICEBUS_E_INVALID, call)

static juicebus_event event_of(const char *name, const void *payload, size_t size) {
    juicebus_event event;
    memset(&event, 0, sizeof event);
    event.name = name;
    event.payload = payload;
    event.payload_size = size;
    return event;
}

static void of_publishers(bus b) {
    juicebus_publisher_t pub = 77;
    juicebus_frame no_data = {NULL, 5};
    juicebus_event nameless = event_of(NULL, EMPTY_MAP, 1);
    juicebus_event without_payload = event_of("Temp", NULL, 1);
    juicebus_event without_frames = event_of("Temp", EMPTY_MAP, 1);
    without_frames.frame_count = 1;

    CHECK_INVALID(juicebus_payload_check(NULL, 1));
    CHECK_INVALID(juicebus_publisher_options_init(NULL, 64));
    CHECK_INVALID(juicebus_publisher_open(NULL, NULL, &pub));
    CHECK(pub == 77);
    CHECK_INVALID(juicebus_publisher_open(b.pub_uri, NULL, NULL));
    CHECK_INVALID(juicebus_publisher_publish(b.pub, NULL, NULL, EMPTY_MAP, 1, 10));
    CHECK_INVALID(juicebus_publisher_publish(b.pub, "Temp", NULL, NULL, 1, 10));
    CHECK_INVALID(juicebus_publisher_publish_many(b.pub, NULL, 1, 10, NULL));
    CHECK_INVALID(juicebus_publisher_publish_many(b.pub, &nameless, 1, 10, NULL));
    CHECK_INVALID(juicebus_publisher_publish_many(b.pub, &without_payload, 1, 10, NULL));
    CHECK_INVALID(juicebus_publisher_publish_many(b.pub, &without_frames, 1, 10, NULL));
    CHECK_INVALID(juicebus_publisher_publish_packed(b.pub, NULL, 1, 10, NULL));
    CHECK_INVALID(juicebus_publisher_send_packed(b.pub, NULL, 1, 10));
    CHECK_INVALID(juicebus_publisher_send_frames(b.pub, NULL, 1, 10));
    CHECK_INVALID(juicebus_publisher_send_frames(b.pub, &no_data, 1, 10));
    CHECK_INVALID(juicebus_publisher_fd(b.pub, NULL));
    CHECK_INVALID(juicebus_publisher_stats(b.pub, NULL));
    CHECK_INVALID(juicebus_publisher_close_counted(b.pub, 10, NULL));
    CHECK_INVALID(juicebus_next_notice(b.pub, NULL));
    CHECK_INVALID(juicebus_next_notice_fd(b.pub, NULL));
}

static void of_subscribers(bus b) {
    juicebus_subscriber_t sub = 77;

    CHECK_INVALID(juicebus_subscriber_options_init(NULL, 64));
    CHECK_INVALID(juicebus_subscriber_open(NULL, NULL, &sub));
    CHECK(sub == 77);
    CHECK_INVALID(juicebus_subscriber_open(b.sub_uri, NULL, NULL));
    CHECK_INVALID(juicebus_subscriber_subscribe(b.sub, NULL, NULL));
    CHECK_INVALID(juicebus_subscriber_unsubscribe(b.sub, NULL, "a"));
    CHECK_INVALID(juicebus_subscriber_get(b.sub, 10, NULL));
    CHECK_INVALID(juicebus_subscriber_get_many(b.sub, 1, 10, NULL));
    CHECK_INVALID(juicebus_subscriber_fd(b.sub, NULL));
    CHECK_INVALID(juicebus_subscriber_stats(b.sub, NULL));
}

static void of_proxies(bus b) {
    juicebus_proxy_t proxy = 77;
    char uri[512];

    CHECK_INVALID(juicebus_proxy_options_init(NULL, 64));
    CHECK_INVALID(juicebus_proxy_open(NULL, "tcp://127.0.0.1:0", NULL, &proxy));
    CHECK_INVALID(juicebus_proxy_open("tcp://127.0.0.1:0", NULL, NULL, &proxy));
    CHECK(proxy == 77);
    CHECK_INVALID(juicebus_proxy_open("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", NULL, NULL));
    CHECK_INVALID(juicebus_proxy_uris(b.proxy, NULL, 512, uri, 512));
    CHECK_INVALID(juicebus_proxy_uris(b.proxy, uri, 512, NULL, 512));
    CHECK_INVALID(juicebus_proxy_keys(b.proxy, NULL));
    CHECK_INVALID(juicebus_proxy_fd(b.proxy, NULL));
    CHECK_INVALID(juicebus_proxy_stats(b.proxy, NULL));
}

int main(void) {
    bus b = bus_open();
    of_publishers(b);
    of_subscribers(b);
    of_proxies(b);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(NULL));
    CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(NULL));
    CHECK_STATUS(JUICEBUS_OK, juicebus_key_batch_free(NULL));
    bus_close(b);
    return 0;
}
