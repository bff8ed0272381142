// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A size that no memory has is E_INVALID in every call that takes one, and the
// library goes on working: it is not the end of the process, nor of the library.
#include "bus.h"

int main(void) {
    bus b = bus_open();
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 60};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        juicebus_frame frames[2] = {{"Temp.", 5}, {"x", sizes[i]}};
        juicebus_event event;
        size_t sent = 7;

        memset(&event, 0, sizeof event);
        event.name = "Temp";
        event.payload = "{}";
        event.payload_size = sizes[i];
        CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_payload_check("{}", sizes[i]));
        CHECK_STATUS(JUICEBUS_E_INVALID,
                     juicebus_publisher_publish(b.pub, "Temp", NULL, "{}", sizes[i], 0));
        CHECK_STATUS(JUICEBUS_E_INVALID,
                     juicebus_publisher_publish_many(b.pub, &event, 1, 0, &sent));
        event.frames = &frames[1];
        event.frame_count = 1;
        CHECK_STATUS(JUICEBUS_E_INVALID,
                     juicebus_publisher_publish_many(b.pub, &event, 1, 0, &sent));
        CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_send_frames(b.pub, frames, 2, 0));
        CHECK_ERROR_NAMES("frame's size");
        CHECK_STATUS(JUICEBUS_E_INVALID,
                     juicebus_publisher_publish_packed(b.pub, "", sizes[i], 0, &sent));
        CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_publisher_send_packed(b.pub, "", sizes[i], 0));
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_payload_check("{}", 2));
    bus_close(b);
    return 0;
}
