// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// tests/vectors/payloads.json through everything that judges a payload: payload_check,
// publish and publish_many give its status and reason; sent unchecked, a subscriber
// gets the same bytes and is told the format.
#include "bus.h"
#include "vector.h"

#include "payloads_vectors.h"

static void judged_before_sending(bus b, const struct payload_vector *v, text payload) {
    juicebus_event event;
    size_t sent = 77;

    memset(&event, 0, sizeof event);
    event.name = "Checked";
    event.payload = payload.data;
    event.payload_size = payload.size;
    CHECK_STATUS(v->status, juicebus_payload_check(payload.data, payload.size));
    CHECK(v->status == JUICEBUS_OK || strcasestr(juicebus_last_error(), v->reason) != NULL);
    CHECK_STATUS(v->status, juicebus_publisher_publish(b.pub, "Checked", NULL, payload.data,
                                                       payload.size, DEADLINE_MS));
    CHECK(v->status == JUICEBUS_OK || strcasestr(juicebus_last_error(), v->reason) != NULL);
    CHECK_STATUS(v->status, juicebus_publisher_publish_many(b.pub, &event, 1, DEADLINE_MS, &sent));
    CHECK(sent == (v->status == JUICEBUS_OK ? 1 : 0));
}

static void is_next(bus b, const char *name, const struct payload_vector *v, text payload) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT(name, event.name);
    CHECK(event.frame_count == 1 && event.payload_size == payload.size);
    CHECK(payload.size == 0 || memcmp(event.payload, payload.data, payload.size) == 0);
    CHECK(event.payload_size == event.frames[0].size);
    CHECK(event.format == v->format);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

static void send_as_frame(bus b, text payload) {
    juicebus_frame frames[2];
    frames[0].data = "Frames.";
    frames[0].size = 7;
    frames[1].data = payload.data;
    frames[1].size = payload.size;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_send_frames(b.pub, frames, 2, DEADLINE_MS));
}

static juicebus_publisher_t open_unchecked(bus b) {
    juicebus_publisher_options options;
    juicebus_publisher_t unchecked;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.check_payload = 0;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, &options, &unchecked));
    return unchecked;
}

static void run_vector(bus b, juicebus_publisher_t unchecked, const struct payload_vector *v) {
    text payload = text_of(v->payload);

    fprintf(stderr, "%s\n", v->id);
    judged_before_sending(b, v, payload);
    if (v->status == JUICEBUS_OK) {
        is_next(b, "Checked", v, payload);
        is_next(b, "Checked", v, payload);
    }
    send_as_frame(b, payload);
    is_next(b, "Frames", v, payload);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(unchecked, "Unchecked", NULL, payload.data,
                                                         payload.size, DEADLINE_MS));
    is_next(b, "Unchecked", v, payload);
    free(payload.data);
}

int main(void) {
    bus b = bus_open();
    juicebus_publisher_t unchecked = open_unchecked(b);

    subscribe(b.sub, "Checked", NULL);
    subscribe(b.sub, "Frames", NULL);
    subscribe(b.sub, "Unchecked", NULL);
    settle(b.pub, b.sub);
    settle(unchecked, b.sub);
    for (size_t i = 0; i < sizeof payload_vectors / sizeof payload_vectors[0]; i++)
        run_vector(b, unchecked, &payload_vectors[i]);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(unchecked, 1000));
    bus_close(b);
    return 0;
}
