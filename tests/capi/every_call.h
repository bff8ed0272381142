// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Calls every function that takes a handle, but close, with good arguments, and
// expects one status of all of them, and outputs that stay as they were.
#ifndef EVERY_CALL_H
#define EVERY_CALL_H

#include "bus.h"
#include "packed.h"

static inline juicebus_frame frame_of(const void *data, size_t size) {
    juicebus_frame frame;
    frame.data = data;
    frame.size = size;
    return frame;
}

static inline void every_publisher_call_gives(int expected, uint64_t handle) {
    juicebus_frame frames[2] = {frame_of("Temp.", 5), frame_of(EMPTY_MAP, EMPTY_MAP_SIZE)};
    struct juicebus_publisher_stats stats;
    const char *const map[] = {"{}"}, *const message[] = {"Temp.", "{}"};
    packed events, parts;
    juicebus_event event;
    size_t sent = 77;
    int fd = 77;

    events.size = parts.size = 0;
    pack_event(&events, "Temp", "", 0, map, 1);
    pack_frames(&parts, message, 2);
    memset(&event, 0, sizeof event);
    event.name = "Temp";
    event.payload = EMPTY_MAP;
    event.payload_size = EMPTY_MAP_SIZE;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    stats.events = 77;
    CHECK_STATUS(expected, juicebus_publisher_publish(handle, "Temp", NULL, EMPTY_MAP, 1, 10));
    CHECK_STATUS(expected, juicebus_publisher_publish_many(handle, &event, 1, 10, &sent));
    CHECK_STATUS(expected,
                 juicebus_publisher_publish_packed(handle, events.data, events.size, 10, &sent));
    CHECK_STATUS(expected, juicebus_publisher_send_frames(handle, frames, 2, 10));
    CHECK_STATUS(expected, juicebus_publisher_send_packed(handle, parts.data, parts.size, 10));
    CHECK_STATUS(expected, juicebus_publisher_wait_connected(handle, 10));
    CHECK_STATUS(expected, juicebus_publisher_flush(handle, 10));
    CHECK_STATUS(expected, juicebus_publisher_flush_first(handle, 0, 10));
    CHECK_STATUS(expected, juicebus_publisher_fd(handle, &fd));
    CHECK_STATUS(expected, juicebus_publisher_stats(handle, &stats));
    CHECK(fd == 77 && stats.events == 77);
    CHECK(sent == 0 || sent == 77);
}

static inline void every_subscriber_call_gives(int expected, uint64_t handle) {
    struct juicebus_subscriber_stats stats;
    juicebus_event event;
    juicebus_batch batch;
    int fd = 77;

    event.frame_count = 77;
    batch.count = 77;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    stats.events = 77;
    CHECK_STATUS(expected, juicebus_subscriber_subscribe(handle, "Temp", "a"));
    CHECK_STATUS(expected, juicebus_subscriber_unsubscribe(handle, "Temp", "a"));
    CHECK_STATUS(expected, juicebus_subscriber_ready(handle, 10));
    CHECK_STATUS(expected, juicebus_subscriber_get(handle, 10, &event));
    CHECK_STATUS(expected, juicebus_subscriber_get_many(handle, 5, 10, &batch));
    CHECK_STATUS(expected, juicebus_subscriber_fd(handle, &fd));
    CHECK_STATUS(expected, juicebus_subscriber_stats(handle, &stats));
    CHECK(fd == 77 && stats.events == 77 && event.frame_count == 77 && batch.count == 77);
}

static inline void every_notice_call_gives(int expected, uint64_t handle) {
    juicebus_notice notice;
    int fd = 77;

    notice.kind = 77;
    CHECK_STATUS(expected, juicebus_next_notice(handle, &notice));
    CHECK_STATUS(expected, juicebus_next_notice_fd(handle, &fd));
    CHECK(fd == 77 && notice.kind == 77);
}

static inline void every_proxy_call_gives(int expected, uint64_t handle) {
    struct juicebus_proxy_stats stats;
    juicebus_key_batch keys;
    char pub_uri[512] = "x", sub_uri[512] = "x";
    int fd = 77;

    keys.count = 77;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    stats.events = 77;
    CHECK_STATUS(expected, juicebus_proxy_uris(handle, pub_uri, 512, sub_uri, 512));
    CHECK_STATUS(expected, juicebus_proxy_keys(handle, &keys));
    CHECK_STATUS(expected, juicebus_proxy_fd(handle, &fd));
    CHECK_STATUS(expected, juicebus_proxy_stats(handle, &stats));
    CHECK(fd == 77 && stats.events == 77 && keys.count == 77);
    CHECK_TEXT("x", pub_uri);
    CHECK_TEXT("x", sub_uri);
}

#endif
