/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The publisher's trampolines; juicebus.h documents them. Next: publisher.go.
 */
#include <string.h>

#include "../core/internal/socket/direct.h"
#include "ends.h"
#include "trampoline.h"

static const juicebus_publisher_options defaults = {
    sizeof(juicebus_publisher_options),
    100000,   /* max_events */
    64 << 20, /* max_event_bytes */
    0,        /* bind */
    1,        /* check_payload */
    64 << 20, /* max_bytes */
    JUICEBUS_OVERFLOW_BLOCK,
    1000, /* heartbeat_ms */
    0,    /* msgpack */
    0,    /* reserved */
};

EXPORT int juicebus_publisher_options_init(juicebus_publisher_options *options,
                                           size_t struct_size) {
    REQUIRE_ALIVE();
    REQUIRE(options);
    return jbc_init_options(__func__, options, struct_size, &defaults, sizeof defaults);
}

EXPORT int juicebus_publisher_open(const char *uri, const juicebus_publisher_options *options,
                                   juicebus_publisher_t *publisher) {
    REQUIRE_ALIVE();
    REQUIRE(uri);
    REQUIRE(publisher);
    juicebus_publisher_options all = defaults;
    int status = jbc_copy_options(__func__, &all, sizeof all, options);
    if (status == JUICEBUS_OK)
        status = gojb_publisher_open(uri, &all, publisher);
    if (status == JUICEBUS_OK && all.msgpack)
        jbc_use_msgpack(*publisher);
    return status;
}

struct publish {
    juicebus_publisher_t publisher;
    const juicebus_event *events;
    size_t count;
    size_t sent;
};

static int try_publish(void *call, int will_wait) {
    struct publish *p = (struct publish *)call;
    struct jb_end *end = jbc_hold(p->publisher, GOJB_PUBLISHER);
    int msgpack = 0;
    if (end) {
        /* subscriber.c asserts that a juicebus_event is a jb_record. */
        p->sent += jb_publish_direct(end, (const struct jb_record *)(p->events + p->sent),
                                     p->count - p->sent);
        msgpack = jb_uses_msgpack(end);
        jb_end_release(end);
        if (p->sent == p->count && p->count > 0)
            return JUICEBUS_OK;
    }
    size_t sent = 0;
    int status = gojb_publisher_publish(p->publisher, p->events + p->sent, p->count - p->sent,
                                        msgpack, &sent, will_wait);
    p->sent += sent;
    return status;
}

EXPORT int juicebus_publisher_publish(juicebus_publisher_t publisher, const char *name,
                                      const char *topic, const void *payload, size_t payload_size,
                                      int64_t timeout_ms) {
    REQUIRE_ALIVE();
    REQUIRE(name);
    REQUIRE(payload);
    REQUIRE_SIZE(payload_size);
    REQUIRE_TIMEOUT(timeout_ms);
    juicebus_event event;
    memset(&event, 0, sizeof event);
    event.name = name;
    event.topic = topic;
    event.payload = payload;
    event.payload_size = payload_size;
    struct publish call = {publisher, &event, 1, 0};
    return jbc_wait(publisher, try_publish, &call, timeout_ms);
}

static int complete(const char *function, const juicebus_event *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const juicebus_event *e = &events[i];
        const char *missing = !e->name                             ? "name"
                              : e->frame_count > 0 && !e->frames   ? "frames"
                              : e->frame_count == 0 && !e->payload ? "payload"
                                                                   : NULL;
        for (size_t j = 0; !missing && e->frame_count > 0 && j < e->frame_count; j++)
            if (!e->frames[j].data && e->frames[j].size > 0)
                missing = "a frame's data";
        if (missing)
            return jbc_fail(JUICEBUS_E_INVALID, "juicebus: %s: %s of event %zu is NULL", function,
                            missing, i);
        int status = jbc_size_valid(function, "payload_size", e->payload_size);
        for (size_t j = 0; status == JUICEBUS_OK && j < e->frame_count; j++)
            status = jbc_size_valid(function, "a frame's size", e->frames[j].size);
        if (status != JUICEBUS_OK)
            return status;
    }
    return JUICEBUS_OK;
}

EXPORT int juicebus_publisher_publish_many(juicebus_publisher_t publisher,
                                           const juicebus_event *events, size_t count,
                                           int64_t timeout_ms, size_t *sent) {
    REQUIRE_ALIVE();
    REQUIRE(events);
    REQUIRE_TIMEOUT(timeout_ms);
    int status = complete(__func__, events, count);
    if (status != JUICEBUS_OK)
        return status;
    struct publish call = {publisher, events, count, 0};
    status = jbc_wait(publisher, try_publish, &call, timeout_ms);
    if (sent)
        *sent = call.sent;
    return status;
}

struct send_frames {
    juicebus_publisher_t publisher;
    const juicebus_frame *frames;
    size_t frame_count;
};

static int try_send_frames(void *call, int will_wait) {
    const struct send_frames *s = (const struct send_frames *)call;
    struct jb_end *end = jbc_hold(s->publisher, GOJB_PUBLISHER);
    if (end) {
        /* subscriber.c asserts that a juicebus_frame is a jb_frame. */
        const int sent = jb_send_direct(end, (const struct jb_frame *)s->frames, s->frame_count);
        jb_end_release(end);
        if (sent)
            return JUICEBUS_OK;
    }
    return gojb_publisher_send_frames(s->publisher, s->frames, s->frame_count, will_wait);
}

EXPORT int juicebus_publisher_send_frames(juicebus_publisher_t publisher,
                                          const juicebus_frame *frames, size_t frame_count,
                                          int64_t timeout_ms) {
    REQUIRE_ALIVE();
    REQUIRE(frames);
    REQUIRE_TIMEOUT(timeout_ms);
    for (size_t i = 0; i < frame_count; i++)
        if (!frames[i].data && frames[i].size > 0)
            return jbc_fail(JUICEBUS_E_INVALID, "juicebus: %s: data of frame %zu is NULL", __func__,
                            i);
    for (size_t i = 0; i < frame_count; i++) {
        int status = jbc_size_valid(__func__, "a frame's size", frames[i].size);
        if (status != JUICEBUS_OK)
            return status;
    }
    struct send_frames call = {publisher, frames, frame_count};
    return jbc_wait(publisher, try_send_frames, &call, timeout_ms);
}

static int try_connected(void *call, int will_wait) {
    return gojb_publisher_wait_connected(*(juicebus_publisher_t *)call, will_wait);
}

EXPORT int juicebus_publisher_wait_connected(juicebus_publisher_t publisher, int64_t timeout_ms) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    return jbc_wait(publisher, try_connected, &publisher, timeout_ms);
}

struct flush {
    juicebus_publisher_t publisher;
    uint64_t events;
};

static int try_flush(void *call, int will_wait) {
    const struct flush *f = (const struct flush *)call;
    return gojb_publisher_flush(f->publisher, f->events, will_wait);
}

EXPORT int juicebus_publisher_flush_first(juicebus_publisher_t publisher, uint64_t events,
                                          int64_t timeout_ms) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    struct flush call = {publisher, events};
    return jbc_wait(0, try_flush, &call, timeout_ms);
}

EXPORT int juicebus_publisher_flush(juicebus_publisher_t publisher, int64_t timeout_ms) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    uint64_t events;
    int status = gojb_publisher_events(publisher, &events);
    return status != JUICEBUS_OK ? status
                                 : juicebus_publisher_flush_first(publisher, events, timeout_ms);
}

EXPORT int juicebus_publisher_fd(juicebus_publisher_t publisher, int *fd) {
    REQUIRE_ALIVE();
    REQUIRE(fd);
    return gojb_publisher_fd(publisher, fd);
}

EXPORT int juicebus_publisher_stats(juicebus_publisher_t publisher,
                                    struct juicebus_publisher_stats *stats) {
    REQUIRE_ALIVE();
    REQUIRE(stats);
    struct juicebus_publisher_stats all;
    memset(&all, 0, sizeof all);
    int status = gojb_publisher_stats(publisher, &all);
    return status != JUICEBUS_OK ? status : jbc_copy_stats(__func__, stats, &all, sizeof all);
}

EXPORT int juicebus_publisher_close_counted(juicebus_publisher_t publisher, int64_t timeout_ms,
                                            uint64_t *left) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    REQUIRE(left);
    return gojb_publisher_close(publisher, timeout_ms, 1, left);
}

EXPORT int juicebus_publisher_close(juicebus_publisher_t publisher, int64_t timeout_ms) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    uint64_t left;
    return gojb_publisher_close(publisher, timeout_ms, 0, &left);
}
