// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// proxy_keys gives the keys forwarded since its last call, with counts since the proxy
// was opened; the proxy's fd is readable while it has some, and for good after close.
#include "bus.h"

// Takes what there is; notes in `found` if the key is among it.
static void take_keys(bus b, const char *key, juicebus_key_count *found) {
    juicebus_key_batch batch;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_keys(b.proxy, &batch));
    CHECK(batch.count >= 1);
    for (size_t i = 0; i < batch.count; i++) {
        CHECK(strlen(batch.keys[i].key) == batch.keys[i].key_size);
        if (strcmp(batch.keys[i].key, key) == 0)
            *found = batch.keys[i];
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_key_batch_free(&batch));
    CHECK(batch.keys == NULL && batch.count == 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_key_batch_free(&batch));
}

// Waits on the fd until the key has this count, and then until nothing is left.
static juicebus_key_count count_of(bus b, int fd, const char *key, uint64_t events) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    juicebus_key_count found; // its key was the batch's and is not looked at
    juicebus_key_batch batch;

    memset(&found, 0, sizeof found);
    while (found.events < events) {
        CHECK(now_ms() < deadline_ms);
        CHECK(is_readable(fd, DEADLINE_MS));
        take_keys(b, key, &found);
    }
    CHECK(found.events == events);
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_proxy_keys(b.proxy, &batch));
    CHECK(!is_readable(fd, 0));
    return found;
}

static void publish_and_take(bus b, int count) {
    juicebus_event event;
    for (int i = 0; i < count; i++)
        publish(b.pub, "Temp", "a.b");
    for (int i = 0; i < count; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
}

int main(void) {
    enum { EVENT_BYTES = 9 + EMPTY_MAP_SIZE };
    bus b = bus_open();
    juicebus_key_count first, second;
    int fd;

    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_fd(b.proxy, &fd));
    publish_and_take(b, 3);
    first = count_of(b, fd, "Temp.a.b.", 3);
    CHECK(first.bytes == 3 * EVENT_BYTES);
    CHECK(first.last_seen_unix_ns / 1000000000 >= (int64_t)time(NULL) - 60);
    publish_and_take(b, 2);
    second = count_of(b, fd, "Temp.a.b.", 5);
    CHECK(second.bytes == 5 * EVENT_BYTES);
    CHECK(second.last_seen_unix_ns >= first.last_seen_unix_ns);
    bus_close(b);
    CHECK(is_readable(fd, DEADLINE_MS));
    CHECK(close(fd) == 0);
    return 0;
}
