/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The subscriber's trampolines; juicebus.h documents them. Next: subscriber.go.
 * The block that the core took is handed on as it is: its records are
 * juicebus_events.
 */
#include "../core/internal/socket/block.h"

#include <assert.h>
#include <string.h>

#include "../core/internal/socket/direct.h"
#include "../core/internal/socket/memory.h"
#include "ends.h"
#include "trampoline.h"

#define SAME(field)                                                                                \
    static_assert(offsetof(struct jb_record, field) == offsetof(juicebus_event, field) &&          \
                      sizeof(((struct jb_record *)0)->field) ==                                    \
                          sizeof(((juicebus_event *)0)->field),                                    \
                  "a record is a juicebus_event")
static_assert(sizeof(struct jb_record) == sizeof(juicebus_event), "a record is a juicebus_event");
SAME(name);
SAME(topic);
SAME(payload);
SAME(payload_size);
SAME(frames);
SAME(frame_count);
SAME(name_size);
SAME(topic_size);
SAME(size);
SAME(format);
static_assert(offsetof(struct jb_record, flag) == offsetof(juicebus_event, unchecked),
              "a record is a juicebus_event");
SAME(owner);
static_assert(sizeof(struct jb_frame) == sizeof(juicebus_frame), "a frame is a juicebus_frame");

static const juicebus_subscriber_options defaults = {
    sizeof(juicebus_subscriber_options),
    100000,   /* max_events */
    64 << 20, /* max_event_bytes */
    64 << 20, /* max_bytes */
    JUICEBUS_OVERFLOW_DROP_OLDEST,
    1000, /* heartbeat_ms */
    0,    /* msgpack */
    0,    /* reserved */
};

EXPORT int juicebus_subscriber_options_init(juicebus_subscriber_options *options,
                                            size_t struct_size) {
    REQUIRE_ALIVE();
    REQUIRE(options);
    return jbc_init_options(__func__, options, struct_size, &defaults, sizeof defaults);
}

EXPORT int juicebus_subscriber_open(const char *uri, const juicebus_subscriber_options *options,
                                    juicebus_subscriber_t *subscriber) {
    REQUIRE_ALIVE();
    REQUIRE(uri);
    REQUIRE(subscriber);
    juicebus_subscriber_options all = defaults;
    int status = jbc_copy_options(__func__, &all, sizeof all, options);
    if (status == JUICEBUS_OK)
        status = gojb_subscriber_open(uri, &all, subscriber);
    if (status == JUICEBUS_OK && all.msgpack)
        jbc_use_msgpack(*subscriber);
    return status;
}

EXPORT int juicebus_subscriber_subscribe(juicebus_subscriber_t subscriber, const char *name,
                                         const char *topic) {
    REQUIRE_ALIVE();
    REQUIRE(name);
    return gojb_subscriber_subscribe(subscriber, name, topic);
}

EXPORT int juicebus_subscriber_unsubscribe(juicebus_subscriber_t subscriber, const char *name,
                                           const char *topic) {
    REQUIRE_ALIVE();
    REQUIRE(name);
    return gojb_subscriber_unsubscribe(subscriber, name, topic);
}

static int try_ready(void *call, int will_wait) {
    return gojb_subscriber_ready(*(juicebus_subscriber_t *)call, will_wait);
}

EXPORT int juicebus_subscriber_ready(juicebus_subscriber_t subscriber, int64_t timeout_ms) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    return jbc_wait(0, try_ready, &subscriber, timeout_ms);
}

struct take {
    juicebus_subscriber_t subscriber;
    size_t max;
    struct jb_block *block;
    uint64_t slow;
};

/* Takes past Go, or through it where it has to see to something. */
static int take(struct take *t, struct jb_end *end, int will_wait) {
    const enum jb_direct done = end ? jb_take_direct(end, t->max, &t->block, &t->slow) : jb_for_go;
    if (done == jb_nothing)
        return will_wait ? GOJB_AGAIN : JUICEBUS_TIMEOUT;
    int status = JUICEBUS_OK;
    if (done == jb_for_go)
        status = gojb_subscriber_take(t->subscriber, t->max, &t->block, &t->slow, will_wait);
    if (status == JUICEBUS_OK && end)
        jb_hand_out(end, t->block);
    return status;
}

static int try_take(void *call, int will_wait) {
    struct take *t = (struct take *)call;
    struct jb_end *end = jbc_hold(t->subscriber, GOJB_SUBSCRIBER);
    const int status = take(t, end, will_wait);
    if (end)
        jb_end_release(end);
    return status;
}

EXPORT int juicebus_subscriber_get(juicebus_subscriber_t subscriber, int64_t timeout_ms,
                                   juicebus_event *event) {
    REQUIRE_ALIVE();
    REQUIRE_TIMEOUT(timeout_ms);
    REQUIRE(event);
    struct take call = {subscriber, 1, NULL, 0};
    int status = jbc_wait(subscriber, try_take, &call, timeout_ms);
    if (status == JUICEBUS_OK) {
        memcpy(event, call.block->records, sizeof *event);
        event->owner = call.block;
    }
    return status;
}

EXPORT int juicebus_event_free(juicebus_event *event) {
    REQUIRE_ALIVE();
    if (event) {
        jb_free(event->owner);
        memset(event, 0, sizeof *event);
    }
    return JUICEBUS_OK;
}

EXPORT int juicebus_subscriber_get_many(juicebus_subscriber_t subscriber, size_t max,
                                        int64_t timeout_ms, juicebus_batch *batch) {
    REQUIRE_ALIVE();
    if (max == 0)
        return jbc_fail(JUICEBUS_E_INVALID, "juicebus: %s: max is 0, expected 1 or more", __func__);
    REQUIRE_TIMEOUT(timeout_ms);
    REQUIRE(batch);
    struct take call = {subscriber, max, NULL, 0};
    int status = jbc_wait(subscriber, try_take, &call, timeout_ms);
    if (status == JUICEBUS_OK) {
        batch->events = (juicebus_event *)(void *)call.block->records;
        batch->count = call.block->count;
        batch->data = call.block;
        batch->data_size = call.block->size;
        batch->slow = call.slow;
    }
    return status;
}

EXPORT int juicebus_batch_free(juicebus_batch *batch) {
    REQUIRE_ALIVE();
    if (batch) {
        jb_free((void *)batch->data);
        memset(batch, 0, sizeof *batch);
    }
    return JUICEBUS_OK;
}

EXPORT int juicebus_subscriber_fd(juicebus_subscriber_t subscriber, int *fd) {
    REQUIRE_ALIVE();
    REQUIRE(fd);
    return gojb_subscriber_fd(subscriber, fd);
}

EXPORT int juicebus_subscriber_stats(juicebus_subscriber_t subscriber,
                                     struct juicebus_subscriber_stats *stats) {
    REQUIRE_ALIVE();
    REQUIRE(stats);
    struct juicebus_subscriber_stats all;
    memset(&all, 0, sizeof all);
    int status = gojb_subscriber_stats(subscriber, &all);
    return status != JUICEBUS_OK ? status : jbc_copy_stats(__func__, stats, &all, sizeof all);
}

EXPORT int juicebus_subscriber_close(juicebus_subscriber_t subscriber) {
    REQUIRE_ALIVE();
    return gojb_subscriber_close(subscriber);
}
