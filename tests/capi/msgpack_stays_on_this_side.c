// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A publisher and a subscriber that use MessagePack have CBOR between them: on the wire
// there is nothing else, and what MessagePack cannot hold stays CBOR.
#include "bus.h"

typedef struct pair {
    const char *cbor;
    size_t cbor_size;
    const char *msgpack;
    size_t msgpack_size;
} pair;

#define PAIR(cbor, msgpack) {cbor, sizeof cbor - 1, msgpack, sizeof msgpack - 1}

// The same in both.
static const pair pairs[] = {
    PAIR("\xa0", "\x80"),
    PAIR("\xa1\x61"
         "a\x01",
         "\x81\xa1"
         "a\x01"),
    PAIR("\xa1\x61"
         "a\x18\x7f",
         "\x81\xa1"
         "a\x7f"),
    PAIR("\xa1\x61"
         "a\x19\x01\x00",
         "\x81\xa1"
         "a\xcd\x01\x00"),
    PAIR("\xa1\x61"
         "a\x38\x63",
         "\x81\xa1"
         "a\xd0\x9c"),
    PAIR("\xa1\x61"
         "a\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00",
         "\x81\xa1"
         "a\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
    PAIR("\xa1\x61"
         "a\x83\xf4\xf5\xf6",
         "\x81\xa1"
         "a\x93\xc2\xc3\xc0"),
    PAIR("\xa1\x61"
         "a\x43\x00\xff\x80",
         "\x81\xa1"
         "a\xc4\x03\x00\xff\x80"),
    PAIR("\xa1\x61"
         "a\x63\xe2\x84\xa6",
         "\x81\xa1"
         "a\xa3\xe2\x84\xa6"),
    PAIR("\xa1\x61"
         "a\xc0\x78\x20"
         "1970-01-01T00:00:01.000002+00:00",
         "\x81\xa1"
         "a\xd7\xff\x00\x00\x1f\x40\x00\x00\x00\x01"),
};

// No MessagePack says these.
static const pair cbor_only[] = {
    PAIR("\xa1\x61"
         "a\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
         ""),
    PAIR("\xa1\x61"
         "a\xc0\x78\x19"
         "2026-01-01T00:00:00+01:00",
         ""),
    PAIR("\xa1\x61"
         "a\xd8\x40\x42\x01\x02",
         ""),
    PAIR("\xd9\xd9\xf7\xa0", ""),
};

static juicebus_publisher_t open_publisher(bus b) {
    juicebus_publisher_options options;
    juicebus_publisher_t pub;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    CHECK(options.msgpack == 0);
    options.msgpack = 1;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, &options, &pub));
    return pub;
}

static juicebus_subscriber_t open_subscriber(bus b) {
    juicebus_subscriber_options options;
    juicebus_subscriber_t sub;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_options_init(&options, sizeof options));
    CHECK(options.msgpack == 0);
    options.msgpack = 1;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, &options, &sub));
    subscribe(sub, "M", NULL);
    return sub;
}

static void next_is(juicebus_subscriber_t sub, int format, const char *payload, size_t size,
                    size_t wire_size) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
    CHECK(event.format == format && event.unchecked == 0);
    CHECK(event.payload_size == size && memcmp(event.payload, payload, size) == 0);
    CHECK(event.frames[0].size == size && event.frames[0].data == event.payload);
    CHECK(event.size == wire_size + 2); // and M.
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

static void is_converted(bus b, juicebus_publisher_t pub, juicebus_subscriber_t sub,
                         const pair *p) {
    const char *published[] = {p->msgpack, p->cbor};
    const size_t sizes[] = {p->msgpack_size, p->cbor_size};
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(pub, "M", NULL, published[i], sizes[i],
                                                             DEADLINE_MS));
        next_is(b.sub, JUICEBUS_FORMAT_CBOR, p->cbor, p->cbor_size, p->cbor_size);
        next_is(sub, JUICEBUS_FORMAT_MSGPACK, p->msgpack, p->msgpack_size, p->cbor_size);
    }
}

static void stays_cbor(bus b, juicebus_subscriber_t sub, const pair *p) {
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_publish(b.pub, "M", NULL, p->cbor, p->cbor_size, DEADLINE_MS));
    next_is(b.sub, JUICEBUS_FORMAT_CBOR, p->cbor, p->cbor_size, p->cbor_size);
    next_is(sub, JUICEBUS_FORMAT_CBOR, p->cbor, p->cbor_size, p->cbor_size);
}

static void is_refused(juicebus_publisher_t pub, const char *payload, size_t size) {
    CHECK_STATUS(JUICEBUS_E_PAYLOAD,
                 juicebus_publisher_publish(pub, "M", NULL, payload, size, DEADLINE_MS));
}

static void damaged_msgpack_is_refused(bus b, juicebus_publisher_t pub) {
    is_refused(pub, "\x81", 1);
    is_refused(pub, "\x80\x80", 2);
    is_refused(pub, "\x81\xa1", 2);
    is_refused(pub, "\x81\x01\x01", 3); // a key that is no text
    is_refused(pub,
               "\x82\xa1"
               "a\x01\xa1"
               "a\x02",
               7); // twice the same key
    is_refused(pub,
               "\x81\xa1"
               "a\xc1",
               4); // never used
    is_refused(pub,
               "\x81\xa1"
               "a\xd4\x01\x00",
               6); // an extension that is no time
    is_refused(pub,
               "\x81\xa1"
               "a\xa1\xff",
               5);                // text that is not UTF-8
    is_refused(pub, "\x90", 1);   // an array
    is_refused(b.pub, "\x80", 1); // without the option it is no payload at all
    CHECK_STATUS(JUICEBUS_E_PAYLOAD, juicebus_payload_check("\x80", 1));
}

// Without a connection events wait in Go, and are converted there. The hold lets the
// subscriber come.
static void a_queued_event_is_converted(void) {
    const pair *p = &pairs[9];
    bus late;
    char sub_uri[512];
    juicebus_proxy_options options;

    snprintf(late.pub_uri, sizeof late.pub_uri, "%s", own_ipc_uri("queued"));
    late.pub = open_publisher(late);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(late.pub, "M", NULL, p->msgpack,
                                                         p->msgpack_size, DEADLINE_MS));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_options_init(&options, sizeof options));
    options.hold_ms = 1000;
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_proxy_open(late.pub_uri, "tcp://127.0.0.1:0", &options, &late.proxy));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_uris(late.proxy, late.pub_uri, sizeof late.pub_uri,
                                                  sub_uri, sizeof sub_uri));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(sub_uri, NULL, &late.sub));
    subscribe(late.sub, "M", NULL);
    next_is(late.sub, JUICEBUS_FORMAT_CBOR, p->cbor, p->cbor_size, p->cbor_size);
    bus_close(late);
}

int main(void) {
    bus b = bus_open();
    juicebus_publisher_t pub = open_publisher(b);
    juicebus_subscriber_t sub = open_subscriber(b);

    subscribe(b.sub, "M", NULL);
    settle(b.pub, b.sub);
    settle(pub, sub);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        is_converted(b, pub, sub, &pairs[i]);
    for (size_t i = 0; i < sizeof cbor_only / sizeof *cbor_only; i++)
        stays_cbor(b, sub, &cbor_only[i]);
    damaged_msgpack_is_refused(b, pub);
    a_queued_event_is_converted();
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, 1000));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    bus_close(b);
    return 0;
}
