// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// With no proxy there and max_events 0, publish and its siblings say E_NOT_CONNECTED with
// the URI at once, however long they might wait; wait_connected waits its time.
#include "every_call.h"

enum { TIMEOUT_MS = 150 };

static void is_told(int status, const char *uri) {
    CHECK_STATUS(JUICEBUS_E_NOT_CONNECTED, status);
    CHECK_ERROR_NAMES(uri);
}

int main(void) {
    const char *uri = own_ipc_uri("nobody");
    juicebus_frame frames[2] = {frame_of("Temp.", 5), frame_of(EMPTY_MAP, EMPTY_MAP_SIZE)};
    juicebus_publisher_options options;
    struct juicebus_publisher_stats stats;
    juicebus_event event;
    juicebus_publisher_t pub;
    int64_t started_ms;
    size_t sent = 77;

    memset(&event, 0, sizeof event);
    event.name = "Temp";
    event.payload = EMPTY_MAP;
    event.payload_size = EMPTY_MAP_SIZE;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.max_events = 0;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(uri, &options, &pub));
    is_told(juicebus_publisher_publish(pub, "Temp", NULL, EMPTY_MAP, 1, -1), uri);
    is_told(juicebus_publisher_publish_many(pub, &event, 1, -1, &sent), uri);
    is_told(juicebus_publisher_send_frames(pub, frames, 2, -1), uri);
    CHECK(sent == 0);
    started_ms = now_ms();
    is_told(juicebus_publisher_wait_connected(pub, TIMEOUT_MS), uri);
    CHECK(now_ms() - started_ms >= TIMEOUT_MS - 1);
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(pub, &stats));
    CHECK(stats.events == 0 && stats.pending_events == 0 && stats.connected == 0);
    CHECK(stats.connected_since_unix_ns == 0);
    close_at_once(pub);
    return 0;
}
