// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A publisher and a subscriber tell of their connection, its loss and the next one, in
// order, each with the address; the notice fd is readable while one waits and for good
// after close; and events flow again through the new proxy.
#include "bus.h"

static void next_notice_is(int kind, uint64_t handle, const char *uri) {
    juicebus_notice notice;
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    int fd, status;

    CHECK_STATUS(JUICEBUS_OK, juicebus_next_notice_fd(handle, &fd));
    while ((status = juicebus_next_notice(handle, &notice)) == JUICEBUS_TIMEOUT) {
        CHECK(now_ms() < deadline_ms);
        is_readable(fd, 1000);
    }
    CHECK_STATUS(JUICEBUS_OK, status);
    CHECK(notice.kind == kind && notice.reserved == 0);
    CHECK(strstr(notice.text, uri) != NULL);
    CHECK(notice.time_unix_ns / 1000000000 >= (int64_t)time(NULL) - 60);
    // time() may be some milliseconds behind the clock that the library reads.
    CHECK(notice.time_unix_ns / 1000000000 <= (int64_t)time(NULL) + 1);
    CHECK(close(fd) == 0);
}

static void no_more_notices(uint64_t handle) {
    juicebus_notice notice;
    int fd;
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_next_notice(handle, &notice));
    CHECK_STATUS(JUICEBUS_OK, juicebus_next_notice_fd(handle, &fd));
    CHECK(!is_readable(fd, 0));
    CHECK(close(fd) == 0);
}

static void both_tell(int kind, bus b) {
    next_notice_is(kind, b.pub, b.pub_uri);
    next_notice_is(kind, b.sub, b.sub_uri);
}

int main(void) {
    bus b = bus_open();
    struct juicebus_subscriber_stats sub;
    struct juicebus_publisher_stats pub;
    int fd;

    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    both_tell(JUICEBUS_NOTICE_CONNECTED, b);
    no_more_notices(b.pub);
    no_more_notices(b.sub);
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(b.proxy));
    both_tell(JUICEBUS_NOTICE_DISCONNECTED, b);
    b.proxy = proxy_open_at(b.pub_uri, b.sub_uri);
    both_tell(JUICEBUS_NOTICE_CONNECTED, b);
    settle(b.pub, b.sub);

    pub.struct_size = sizeof pub;
    sub.struct_size = sizeof sub;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(b.pub, &pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_stats(b.sub, &sub));
    CHECK(pub.reconnects == 1 && sub.reconnects == 1);
    CHECK_STATUS(JUICEBUS_OK, juicebus_next_notice_fd(b.sub, &fd));
    bus_close(b);
    CHECK(is_readable(fd, 0));
    CHECK(close(fd) == 0);
    return 0;
}
