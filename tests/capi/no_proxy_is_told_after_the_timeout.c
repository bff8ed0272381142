// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// With no proxy there, publish and its siblings wait for their timeout and then say
// E_NOT_CONNECTED with the URI; nothing is queued meanwhile.
#include "every_call.h"

enum { TIMEOUT_MS = 150 };

static int64_t started_ms;

static void gave_up(int status, const char *uri) {
    int64_t waited_ms = now_ms() - started_ms;
    CHECK_STATUS(JUICEBUS_E_NOT_CONNECTED, status);
    CHECK_ERROR_NAMES(uri);
    CHECK(waited_ms >= TIMEOUT_MS - 1 && waited_ms < TIMEOUT_MS + 1000);
    started_ms = now_ms();
}

int main(void) {
    const char *uri = own_ipc_uri("nobody");
    juicebus_frame frames[2] = {frame_of("Temp.", 5), frame_of(EMPTY_MAP, EMPTY_MAP_SIZE)};
    struct juicebus_publisher_stats stats;
    juicebus_event event;
    juicebus_publisher_t pub;
    size_t sent = 77;

    memset(&event, 0, sizeof event);
    event.name = "Temp";
    event.payload = EMPTY_MAP;
    event.payload_size = EMPTY_MAP_SIZE;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(uri, NULL, &pub));
    started_ms = now_ms();
    gave_up(juicebus_publisher_publish(pub, "Temp", NULL, EMPTY_MAP, 1, TIMEOUT_MS), uri);
    gave_up(juicebus_publisher_publish_many(pub, &event, 1, TIMEOUT_MS, &sent), uri);
    gave_up(juicebus_publisher_send_frames(pub, frames, 2, TIMEOUT_MS), uri);
    gave_up(juicebus_publisher_wait_connected(pub, TIMEOUT_MS), uri);
    CHECK(sent == 0);
    CHECK_STATUS(JUICEBUS_E_NOT_CONNECTED,
                 juicebus_publisher_publish(pub, "Temp", NULL, EMPTY_MAP, 1, 0));
    CHECK(now_ms() - started_ms < 50);
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_stats(pub, &stats));
    CHECK(stats.events == 0 && stats.connected == 0);
    close_at_once(pub);
    return 0;
}
