// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// publish_many sends the events in order up to the first that cannot be sent; `sent`
// says where to go on. Events with frames are sent with these, however many.
#include "every_call.h"

static juicebus_event cbor(const char *topic, const char *payload, size_t size) {
    juicebus_event event;
    memset(&event, 0, sizeof event);
    event.name = "Temp";
    event.topic = topic;
    event.payload = payload;
    event.payload_size = size;
    return event;
}

static void next_is(bus b, const char *topic, size_t frame_count) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT(topic, event.topic);
    CHECK(event.frame_count == frame_count);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

static void stops_at_the_bad_one(bus b) {
    juicebus_event events[4] = {cbor("1", "\xa0", 1), cbor(NULL, "\xa0", 1), cbor("3", "\xa1", 1),
                                cbor("4", "\xa0", 1)};
    size_t sent = 77;
    CHECK_STATUS(JUICEBUS_E_PAYLOAD,
                 juicebus_publisher_publish_many(b.pub, events, 4, DEADLINE_MS, &sent));
    CHECK(sent == 2);
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_publish_many(b.pub, events + 3, 1, DEADLINE_MS, &sent));
    CHECK(sent == 1);
    next_is(b, "1", 1);
    next_is(b, "", 1);
    next_is(b, "4", 1);
}

static void sends_frames_as_they_are(bus b) {
    juicebus_frame frames[3] = {frame_of("\xff", 1), frame_of("", 0), frame_of("xyz", 3)};
    juicebus_event events[2] = {cbor("three", "\xa0", 1), cbor("one", "\xa0", 1)};
    juicebus_event event;
    size_t sent = 77;

    events[0].frames = frames;
    events[0].frame_count = 3;
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_publish_many(b.pub, events, 2, DEADLINE_MS, &sent));
    CHECK(sent == 2);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT("three", event.topic);
    CHECK(event.frame_count == 3 && event.format == JUICEBUS_FORMAT_OTHER);
    CHECK(event.payload_size == 1 && event.frames[1].size == 0 && event.frames[2].size == 3);
    CHECK(memcmp(event.frames[2].data, "xyz", 3) == 0);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    next_is(b, "one", 1);
}

static void many_go_in_one_call(bus b) {
    enum { COUNT = 5000 };
    juicebus_event *events = (juicebus_event *)calloc(COUNT, sizeof *events);
    size_t sent = 77;
    CHECK(events != NULL);
    for (int i = 0; i < COUNT; i++)
        events[i] = cbor("x", "\xa0", 1);
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_publish_many(b.pub, events, COUNT, DEADLINE_MS, &sent));
    CHECK(sent == COUNT);
    for (int i = 0; i < COUNT; i++)
        next_is(b, "x", 1);
    free(events);
}

int main(void) {
    bus b = bus_open();
    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    stops_at_the_bad_one(b);
    sends_frames_as_they_are(b);
    many_go_in_one_call(b);
    bus_close(b);
    return 0;
}
