// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// send_frames sends a key and any number of payload frames as they are; a first frame
// that is not a key is E_INVALID.
#include "every_call.h"

static void arrives(bus b, const juicebus_frame *frames, size_t frame_count) {
    juicebus_event event;
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_send_frames(b.pub, frames, frame_count, DEADLINE_MS));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT("Raw", event.name);
    CHECK_TEXT("a.b", event.topic);
    CHECK(event.frame_count == frame_count - 1);
    CHECK(event.format == JUICEBUS_FORMAT_OTHER);
    CHECK((event.payload == NULL) == (frame_count == 1));
    for (size_t i = 0; i < event.frame_count; i++) {
        CHECK(event.frames[i].size == frames[i + 1].size);
        CHECK(memcmp(event.frames[i].data, frames[i + 1].data, frames[i + 1].size) == 0);
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

static void is_no_key(bus b, const void *data, size_t size) {
    juicebus_frame frames[2] = {frame_of(data, size), frame_of(EMPTY_MAP, EMPTY_MAP_SIZE)};
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_send_frames(b.pub, frames, 2, DEADLINE_MS));
}

int main(void) {
    bus b = bus_open();
    char long_key[1027];
    juicebus_frame frames[40];

    subscribe(b.sub, "Raw", NULL);
    settle(b.pub, b.sub);
    frames[0] = frame_of("Raw.a.b.", 8);
    for (int i = 1; i < 40; i++)
        frames[i] = frame_of("\x00\xff frame", (size_t)(i % 8));
    arrives(b, frames, 1);
    arrives(b, frames, 2);
    arrives(b, frames, 3);
    arrives(b, frames, 40);

    memset(long_key, 'a', sizeof long_key);
    long_key[sizeof long_key - 1] = '.';
    is_no_key(b, long_key, sizeof long_key);
    is_no_key(b, "", 0);
    is_no_key(b, ".", 1);
    is_no_key(b, "Raw", 3);
    is_no_key(b, "Ra\xff.", 4);
    is_no_key(b,
              "\xff"
              "c.",
              3);
    is_no_key(b, "R\0w.", 4);
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_send_frames(b.pub, frames, 0, 10));
    bus_close(b);
    return 0;
}
