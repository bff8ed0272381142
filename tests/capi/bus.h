// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A small fleet for a test: a proxy on free ports of the loopback interface, a
// publisher and a subscriber. settle replaces every sleep: when it returns, what was
// subscribed and unsubscribed before is live at the proxy, and what was published before
// has arrived.
#ifndef BUS_H
#define BUS_H

#include "check.h"

#include <poll.h>
#include <unistd.h>

// An empty CBOR map: the smallest payload.
#define EMPTY_MAP "\xa0"
#define EMPTY_MAP_SIZE 1

enum { DEADLINE_MS = 20000 };

typedef struct bus {
    char pub_uri[512], sub_uri[512];
    juicebus_proxy_t proxy;
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;
} bus;

static inline juicebus_proxy_t proxy_open_at(const char *pub_uri, const char *sub_uri) {
    juicebus_proxy_options options;
    juicebus_proxy_t proxy;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_options_init(&options, sizeof options));
    options.hold_ms = 0;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_open(pub_uri, sub_uri, &options, &proxy));
    return proxy;
}

static inline bus bus_open(void) {
    bus b;
    b.proxy = proxy_open_at("tcp://127.0.0.1:0", "tcp://127.0.0.1:0");
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_uris(b.proxy, b.pub_uri, sizeof b.pub_uri, b.sub_uri,
                                                  sizeof b.sub_uri));
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, NULL, &b.pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, NULL, &b.sub));
    return b;
}

static inline void bus_close(bus b) {
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(b.pub, 1000));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(b.sub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(b.proxy));
}

// Closes without a wait: whether all is handed over by then is not said here.
static inline void close_at_once(juicebus_publisher_t pub) {
    int status = juicebus_publisher_close(pub, 0);
    CHECK(status == JUICEBUS_OK || status == JUICEBUS_TIMEOUT);
}

static inline void publish(juicebus_publisher_t pub, const char *name, const char *topic) {
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(pub, name, topic, EMPTY_MAP,
                                                         EMPTY_MAP_SIZE, DEADLINE_MS));
}

static inline void subscribe(juicebus_subscriber_t sub, const char *name, const char *topic) {
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_subscribe(sub, name, topic));
}

// An ipc address that only this process uses.
static inline const char *own_ipc_uri(const char *what) {
    static char uris[8][100];
    static int count;
    char *uri = uris[count++ % 8];
    snprintf(uri, sizeof uris[0], "ipc:///tmp/juicebus-test-%d-%s", (int)getpid(), what);
    return uri;
}

static inline int is_readable(int fd, int timeout_ms) {
    struct pollfd pfd = {0, POLLIN, 0};
    pfd.fd = fd;
    return poll(&pfd, 1, timeout_ms) > 0;
}

// The pipes keep order: what the proxy had before it confirmed the subscriptions, it has
// forwarded before.
static inline void settle(juicebus_publisher_t pub, juicebus_subscriber_t sub) {
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_flush(pub, DEADLINE_MS));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_ready(sub, DEADLINE_MS));
}

#endif
