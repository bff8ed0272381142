// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// publish_packed and send_packed send what lies in one run of bytes; bytes that are cut
// short anywhere, or are something else, are E_INVALID, and nothing of them is sent.
#include "bus.h"
#include "packed.h"

static const char *const json[] = {"{\"a\":1}"};
static const char *const own[] = {"\x01 own", "", "more"};
static const char *const frames[] = {"Raw.t.", "first", ""};

static void next_is(bus b, const char *name, const char *topic, const char *const *expected,
                    size_t count) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT(name, event.name);
    CHECK_TEXT(topic, event.topic);
    CHECK(event.frame_count == count);
    for (size_t i = 0; i < count; i++) {
        CHECK(event.frames[i].size == strlen(expected[i]));
        CHECK(memcmp(event.frames[i].data, expected[i], event.frames[i].size) == 0);
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

static packed four_events(void) {
    packed p;
    p.size = 0;
    pack_event(&p, "Plain", "", 0, json, 1);
    pack_event(&p, "Plain", "with.topic", 0, json, 1);
    pack_event(&p, "Own", "", 0, own, 3);
    pack_event(&p, "Own", "t", JUICEBUS_PACKED_UNCHECKED, own, 1);
    return p;
}

static void events_arrive(bus b) {
    packed p = four_events();
    size_t sent = 77;
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_publish_packed(b.pub, p.data, p.size, DEADLINE_MS, &sent));
    CHECK(sent == 4);
    next_is(b, "Plain", "", json, 1);
    next_is(b, "Plain", "with.topic", json, 1);
    next_is(b, "Own", "", own, 3);
    next_is(b, "Own", "t", own, 1);
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_publish_packed(b.pub, p.data, 0, DEADLINE_MS, &sent));
    CHECK(sent == 0);
}

static void frames_arrive(bus b) {
    packed p;
    for (uint32_t count = 1; count <= 3; count++) {
        p.size = 0;
        pack_frames(&p, frames, count);
        CHECK_STATUS(JUICEBUS_OK,
                     juicebus_publisher_send_packed(b.pub, p.data, p.size, DEADLINE_MS));
        next_is(b, "Raw", "t", frames + 1, count - 1);
    }
    const char *many[40];
    for (int i = 0; i < 40; i++)
        many[i] = i == 0 ? "Raw.t." : "x";
    p.size = 0;
    pack_frames(&p, many, 40);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_send_packed(b.pub, p.data, p.size, DEADLINE_MS));
    next_is(b, "Raw", "t", many + 1, 39);
}

static void good_ones_before_a_bad_one_are_sent(bus b) {
    packed p;
    size_t sent = 77;
    p.size = 0;
    pack_event(&p, "Plain", "", 0, json, 1);
    pack_event(&p, "Plain", "", 0, own, 1);
    CHECK_STATUS(JUICEBUS_E_PAYLOAD,
                 juicebus_publisher_publish_packed(b.pub, p.data, p.size, DEADLINE_MS, &sent));
    CHECK(sent == 1);
    next_is(b, "Plain", "", json, 1);
}

static void is_refused(bus b, const packed *p) {
    size_t sent = 77;
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_publisher_publish_packed(b.pub, p->data, p->size, DEADLINE_MS, &sent));
    CHECK(sent == 77);
}

static void what_is_cut_short_is_refused(bus b) {
    packed whole = four_events(), p = whole, one;
    size_t ends[4], count = 0;
    one.size = 0;
    pack_event(&one, "Plain", "", 0, json, 1);
    ends[count++] = one.size;
    pack_event(&one, "Plain", "with.topic", 0, json, 1);
    ends[count++] = one.size;
    pack_event(&one, "Own", "", 0, own, 3);
    ends[count++] = one.size;
    for (p.size = 1; p.size < whole.size; p.size++)
        if (p.size != ends[0] && p.size != ends[1] && p.size != ends[2])
            is_refused(b, &p);
    p.size = 0;
    pack_frames(&p, frames, 3);
    for (size_t size = 0; size < p.size; size++)
        CHECK_STATUS(JUICEBUS_E_INVALID,
                     juicebus_publisher_send_packed(b.pub, p.data, size, DEADLINE_MS));
    pack_bytes(&p, "", 1);
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_publisher_send_packed(b.pub, p.data, p.size, DEADLINE_MS));
}

static void what_is_something_else_is_refused(bus b) {
    packed p;
    p.size = 0;
    pack_event(&p, "Plain", "", 0, json, 1);
    p.data[16 + 2] = '\0'; // inside the name
    is_refused(b, &p);
    p.size = 0;
    pack_event(&p, "Plain", "", 0, json, 1);
    p.data[16 + 5] = 'x'; // the NUL behind it
    is_refused(b, &p);
    p.size = 0;
    for (int i = 0; i < 4; i++)
        pack_u32(&p, UINT32_MAX);
    is_refused(b, &p);
    p.size = 0;
    pack_u32(&p, UINT32_MAX);
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_publisher_send_packed(b.pub, p.data, p.size, DEADLINE_MS));
    p.size = 0;
    pack_u32(&p, 0);
    CHECK_STATUS(JUICEBUS_E_INVALID,
                 juicebus_publisher_send_packed(b.pub, p.data, p.size, DEADLINE_MS));
}

int main(void) {
    bus b = bus_open();
    subscribe(b.sub, "Plain", NULL);
    subscribe(b.sub, "Own", NULL);
    subscribe(b.sub, "Raw", NULL);
    settle(b.pub, b.sub);
    events_arrive(b);
    frames_arrive(b);
    good_ones_before_a_bad_one_are_sent(b);
    what_is_cut_short_is_refused(b);
    what_is_something_else_is_refused(b);
    events_arrive(b); // and nothing before them
    bus_close(b);
    return 0;
}
