/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Drains a SUB socket into one block in one crossing. While it grows, the block
 * moves, so the frames are noted by offset; the tables with their pointers are
 * written at the end. Next: sort.c looks at the events.
 */
#include "take.h"

#include <errno.h>
#include <string.h>

#include "calls.h"
#include "memory.h"

enum { capacity_min = 1024, frames_on_stack = 256, key_size_max = 4096 };

/* What a frame is. */
enum part { payload, key, key_of_oversize };

struct span {
    size_t offset;
    size_t size;
    enum part part;
};

struct growing {
    char *data;
    size_t size;
    size_t capacity;
    size_t first_capacity;
    struct span *spans; /* on_stack until they outgrow it */
    size_t span_count;
    size_t span_capacity;
    struct span on_stack[frames_on_stack];
};

static int reserve(struct growing *g, size_t size) {
    if (g->size + size > g->capacity) {
        size_t capacity = g->capacity ? g->capacity * 2 : g->first_capacity;
        if (capacity < g->size + size)
            capacity = g->size + size;
        char *data = jb_realloc(g->data, capacity);
        if (!data)
            return -ENOMEM;
        g->data = data;
        g->capacity = capacity;
    }
    return 0;
}

static int reserve_span(struct growing *g) {
    if (g->span_count < g->span_capacity)
        return 0;
    size_t capacity = g->span_capacity * 2;
    struct span *old = g->spans == g->on_stack ? NULL : g->spans;
    struct span *spans = jb_realloc(old, capacity * sizeof *spans);
    if (!spans)
        return -ENOMEM;
    if (!old)
        memcpy(spans, g->on_stack, sizeof g->on_stack);
    g->spans = spans;
    g->span_capacity = capacity;
    return 0;
}

static int append(struct growing *g, zmq_msg_t *frame, enum part part) {
    size_t size = zmq_msg_size(frame);
    size_t padded = jb_room(size);
    int rc = reserve(g, padded);
    if (rc == 0)
        rc = reserve_span(g);
    if (rc != 0)
        return rc;
    g->spans[g->span_count++] = (struct span){g->size, size, part};
    memcpy(g->data + g->size, zmq_msg_data(frame), size);
    g->data[g->size + size] = 0;
    g->size += padded;
    return 0;
}

/* Appends one event; of one over the limit its key, so that it can be counted
 * under its filter, or nothing if even that is too large to be a key. Returns 1 if
 * something was appended, else 0 or a negative errno; what has left the socket and was
 * not appended is thrown away. */
static int take_event(void *socket, struct growing *g, size_t event_bytes_max, size_t *event_bytes,
                      size_t *thrown_away) {
    const size_t size = g->size, first_span = g->span_count;
    size_t size_with_key = size;
    int failed = 0, reserved = 0;
    *event_bytes = 0;
    for (int more = 1, first = 1; more; first = 0) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        int rc = jb_receive_frame(socket, &frame);
        if (rc != 0) {
            zmq_msg_close(&frame);
            return rc;
        }
        *event_bytes += zmq_msg_size(&frame);
        if (first ? zmq_msg_size(&frame) <= key_size_max || *event_bytes <= event_bytes_max
                  : *event_bytes <= event_bytes_max && g->span_count > first_span)
            failed = failed ? failed : append(g, &frame, first ? key : payload);
        if (first) {
            size_with_key = g->size;
            reserved = jb_is_reserved(zmq_msg_data(&frame), zmq_msg_size(&frame));
        }
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    if (failed) {
        g->size = size;
        g->span_count = first_span;
        *thrown_away += !reserved;
        return failed;
    }
    if (*event_bytes > event_bytes_max) {
        *event_bytes = 0;
        g->size = size_with_key;
        if (g->span_count == first_span) {
            *thrown_away += !reserved;
            return 0;
        }
        g->span_count = first_span + 1;
        g->spans[first_span].part = key_of_oversize;
    }
    return 1;
}

static struct jb_block *finish(struct growing *g, size_t events) {
    size_t payload_frames = g->span_count - events;
    size_t tables = events * sizeof(struct jb_record) + payload_frames * sizeof(struct jb_frame);
    char *base = jb_realloc(g->data, g->size + tables);
    if (!base)
        return NULL;
    struct jb_record *records = (struct jb_record *)(void *)(base + g->size);
    struct jb_frame *frames = (struct jb_frame *)(void *)(records + events);
    struct jb_record *record = records - 1;
    for (size_t i = 0; i < g->span_count; i++) {
        const struct span *span = &g->spans[i];
        if (span->part != payload) {
            *++record = (struct jb_record){.name = base + span->offset,
                                           .name_size = span->size,
                                           .frames = frames,
                                           .flag = span->part == key_of_oversize};
            continue;
        }
        *frames = (struct jb_frame){base + span->offset, span->size};
        if (record->frame_count++ == 0) {
            record->payload = frames->data;
            record->payload_size = frames->size;
        }
        frames++;
    }
    struct jb_block *block = (struct jb_block *)(void *)base;
    *block = (struct jb_block){g->size + tables, events, records, 0, 0};
    return block;
}

static size_t count_events(const struct growing *g) {
    size_t events = 0;
    for (size_t i = 0; i < g->span_count; i++)
        if (g->spans[i].part != payload)
            events += !jb_is_reserved(g->data + g->spans[i].offset, g->spans[i].size);
    return events;
}

/* Whether something is left; where libzmq cannot say, the next take finds out. */
static int readable(void *socket) {
    int events = jb_events(socket);
    return events < 0 || (events & ZMQ_POLLIN);
}

static int drain(struct jb_subscriber *s, size_t events_max, struct jb_block **block,
                 struct jb_drained *drained) {
    void *socket = s->end.socket;
    struct growing g;
    g.data = NULL;
    g.capacity = 0;
    g.first_capacity = s->block_size > capacity_min ? s->block_size : capacity_min;
    g.size = jb_aligned(sizeof(struct jb_block));
    g.spans = g.on_stack;
    g.span_count = 0;
    g.span_capacity = frames_on_stack;
    size_t events = 0, bytes = 0, unkeyed = 0;
    int rc = 0;
    while (events < events_max && bytes < jb_take_bytes_max) {
        size_t event_bytes;
        rc = take_event(socket, &g, s->event_bytes_max, &event_bytes, &unkeyed);
        if (rc < 0)
            break;
        events += (size_t)rc;
        bytes += event_bytes;
    }
    int more = (rc >= 0 || rc == -ENOMEM) && readable(socket);
    if (rc == -EAGAIN)
        rc = 0;
    *block = NULL;
    if (events > 0) {
        /* What ended the drain, if it is an error, will end the next one too. */
        *block = finish(&g, events);
        rc = *block ? 0 : -ENOMEM;
        s->block_size = *block ? (*block)->size : 0;
        unkeyed += *block ? 0 : count_events(&g);
    }
    if (!*block)
        jb_free(g.data);
    if (g.spans != g.on_stack)
        jb_free(g.spans);
    *drained = (struct jb_drained){unkeyed, more};
    if (more)
        jb_ready_set(&s->end.ready);
    else
        jb_ready_clear(&s->end.ready);
    return rc < 0 ? rc : 0;
}

int jb_take(struct jb_subscriber *s, size_t events_max, struct jb_block **block,
            struct jb_drained *drained) {
    if (s->kept) {
        *block = s->kept;
        *drained = (struct jb_drained){0, 1};
        s->kept = NULL;
        return 0;
    }
    if (s->error) {
        const int error = s->error;
        *block = NULL;
        *drained = (struct jb_drained){0, 1};
        s->error = 0;
        return error;
    }
    if (events_max > jb_take_events_max)
        events_max = jb_take_events_max;
    int rc = drain(s, events_max, block, drained);
    if (*block)
        jb_sort(s, *block);
    return rc;
}

/* Counts for Go what a caller in C has taken. */
static void count(struct jb_subscriber *s, const struct jb_block *block,
                  const struct jb_drained *drained) {
    s->unkeyed += drained->unkeyed;
    s->emptied |= !drained->more;
    if (block) {
        s->events += block->count;
        s->bytes += block->bytes;
    }
}

enum jb_direct jb_take_direct(struct jb_end *end, size_t events_max, struct jb_block **block,
                              uint64_t *slow) {
    struct jb_subscriber *s = (struct jb_subscriber *)end;
    enum jb_direct done = jb_for_go;
    jb_lock(&end->lock);
    if (jb_end_is_direct(end) && !s->kept && !s->error) {
        struct jb_drained drained;
        const int rc = jb_take(s, events_max, block, &drained);
        if (*block && (*block)->sorted < (*block)->count) {
            s->kept = *block;
            *block = NULL;
            jb_ready_set(&end->ready); /* it is left behind, should the caller not go to Go */
        } else if (rc == 0) {
            done = *block ? jb_done : jb_nothing;
        }
        s->error = rc;
        count(s, *block, &drained);
        *slow = s->slow;
    }
    jb_unlock(&end->lock);
    return done;
}

static void free_rest(struct jb_end *end) {
    struct jb_subscriber *s = (struct jb_subscriber *)end;
    jb_filters_clear(&s->filters);
    jb_free(s->kept);
}

struct jb_end *jb_subscriber_new(size_t event_bytes_max) {
    struct jb_subscriber *s = jb_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->end.free_rest = free_rest;
    s->event_bytes_max = event_bytes_max;
    return &s->end;
}

int jb_tend_subscriber(struct jb_end *end) {
    int waits = readable(end->socket);
    if (waits)
        jb_ready_set(&end->ready);
    return waits;
}
