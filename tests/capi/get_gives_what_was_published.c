// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// One event as it was published, by get and in batches, in order; NUL-terminated
// strings; a batch holds at most `max` and its memory is one block; freeing clears, and
// freeing what is cleared is OK.
#include "bus.h"

static void publish_numbered(bus b, int count) {
    char json[32];
    for (int i = 0; i < count; i++) {
        snprintf(json, sizeof json, "{\"number\":%d}", i);
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(b.pub, "Temp", "4K", json,
                                                             strlen(json), DEADLINE_MS));
    }
}

static void is_numbered(const juicebus_event *event, int number) {
    char json[32];
    snprintf(json, sizeof json, "{\"number\":%d}", number);
    CHECK_TEXT("Temp", event->name);
    CHECK_TEXT("4K", event->topic);
    CHECK(event->name_size == 4 && event->topic_size == 2);
    CHECK(event->frame_count == 1 && event->frames[0].data == event->payload);
    CHECK(event->payload_size == strlen(json) && event->frames[0].size == strlen(json));
    CHECK(memcmp(event->payload, json, strlen(json)) == 0);
    CHECK(event->format == JUICEBUS_FORMAT_JSON && event->unchecked == 0);
}

static void by_get(bus b) {
    juicebus_event event;
    publish_numbered(b, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
        is_numbered(&event, i);
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
        CHECK(event.name == NULL && event.payload == NULL && event.frame_count == 0);
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
}

static void lies_in(const juicebus_batch *batch, const void *pointer) {
    const char *at = (const char *)pointer, *data = (const char *)batch->data;
    CHECK(at >= data && at < data + batch->data_size);
}

static void by_get_many(bus b) {
    juicebus_batch batch;
    int next = 0;
    publish_numbered(b, 100);
    while (next < 100) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get_many(b.sub, 30, DEADLINE_MS, &batch));
        CHECK(batch.count >= 1 && batch.count <= 30);
        for (size_t i = 0; i < batch.count; i++) {
            is_numbered(&batch.events[i], next++);
            lies_in(&batch, batch.events[i].name);
            lies_in(&batch, batch.events[i].topic);
            lies_in(&batch, batch.events[i].payload);
            CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&batch.events[i]));
        }
        CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
        CHECK(batch.events == NULL && batch.count == 0 && batch.data == NULL);
        CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
    }
}

// An event and a batch belong to whoever took them, also when the subscriber is gone.
static void after_close(bus b) {
    juicebus_event event;
    juicebus_batch batch;
    publish_numbered(b, 2);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get_many(b.sub, 1, DEADLINE_MS, &batch));
    bus_close(b);
    is_numbered(&event, 0);
    is_numbered(&batch.events[0], 1);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
}

int main(void) {
    bus b = bus_open();
    juicebus_batch batch;
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    by_get(b);
    by_get_many(b);
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_get_many(b.sub, 0, 0, &batch));
    CHECK_ERROR_NAMES("max");
    after_close(b);
    return 0;
}
