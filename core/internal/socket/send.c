/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Sends events over an XPUB socket: for Go in one crossing, under the publisher's lock,
 * for callers in C past Go. Next: the proxy's forward.c.
 */
#include "send.h"

#include <errno.h>
#include <string.h>

#include "block.h"
#include "calls.h"
#include "memory.h"
#include "msgpack.h"
#include "plain.h"

/* All frames exist before the first is sent: an event is never cut in half. */
static int send_event(void *socket, struct jb_waiting *waiting, const struct jb_part *parts,
                      size_t count, const char **copies) {
    zmq_msg_t on_stack[8];
    zmq_msg_t *frames = count <= 8 ? on_stack : jb_malloc(count * sizeof *frames);
    if (!frames)
        return -ENOMEM;
    size_t made = 0, sent = 0;
    int rc = 0;
    for (; made < count; made++) {
        const void *data = (const void *)parts[made].data;
        if (!data) {
            data = *copies;
            *copies += parts[made].size;
        }
        rc = jb_waiting_copy(waiting, &frames[made], data, parts[made].size);
        if (rc != 0)
            break;
    }
    for (; rc == 0 && sent < count; sent += rc == 0)
        rc = jb_send_frame(socket, &frames[sent], sent + 1 < count ? ZMQ_SNDMORE : 0);
    while (made-- > 0)
        zmq_msg_close(&frames[made]);
    if (frames != on_stack)
        jb_free(frames);
    return rc;
}

int jb_send(void *socket, struct jb_waiting *waiting, const struct jb_part *parts, size_t count,
            const void *copies, size_t *sent) {
    const char *copy = copies;
    *sent = 0;
    for (size_t first = 0; first < count;) {
        size_t size = 1;
        while (!parts[first + size - 1].last)
            size++;
        int rc = send_event(socket, waiting, parts + first, size, &copy);
        if (rc != 0)
            return rc;
        first += size;
        ++*sent;
    }
    return 0;
}

int jb_send_one(void *socket, struct jb_waiting *waiting, const void *key, size_t key_size,
                const void *payload, size_t payload_size) {
    struct jb_part parts[] = {{(uintptr_t)key, key_size, 0}, {(uintptr_t)payload, payload_size, 1}};
    return send_event(socket, waiting, parts, 2, NULL);
}

static void free_rest(struct jb_end *end) {
    jb_waiting_release(((struct jb_publisher *)end)->waiting);
}

struct jb_end *jb_publisher_new(void) {
    struct jb_publisher *p = jb_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->end.free_rest = free_rest;
    p->waiting = jb_waiting_new();
    if (!p->waiting) {
        jb_free(p);
        return NULL;
    }
    return &p->end;
}

/* The bound of package key on name and topic together. */
enum { name_and_topic_max = 1024 };

/* An event that is about to be sent. */
struct leaving {
    size_t name_size, topic_size, key_size;
    const void *payload;
    size_t payload_size;
    unsigned char converted[1024]; /* a short payload of MessagePack, as CBOR */
};

/* Whether an event is good, without Go. */
static int prepare(const struct jb_publisher *p, const struct jb_record *event, struct leaving *e) {
    e->payload = event->payload;
    e->payload_size = event->payload_size;
    const int unchecked = p->unchecked || event->flag;
    if (p->end.msgpack && !event->flag && jb_begins_msgpack(event->payload, event->payload_size)) {
        e->payload = e->converted;
        e->payload_size = jb_cbor_of_msgpack(event->payload, event->payload_size, e->converted,
                                             sizeof e->converted);
        if (e->payload_size == 0)
            return 0;
    }
    e->name_size = strlen(event->name);
    e->topic_size = event->topic ? strlen(event->topic) : 0;
    e->key_size = e->name_size + 1 + (e->topic_size ? e->topic_size + 1 : 0);
    return event->frame_count == 0 && e->name_size > 0 &&
           e->name_size + e->topic_size <= name_and_topic_max &&
           e->key_size + e->payload_size <= p->event_bytes_max &&
           jb_is_plain_name(event->name, e->name_size) &&
           (e->topic_size == 0 || jb_is_plain_name(event->topic, e->topic_size)) &&
           (unchecked || jb_is_plain_cbor(e->payload, e->payload_size) ||
            jb_is_plain_json(e->payload, e->payload_size));
}

static void write_key(char *to, const struct jb_record *event, const struct leaving *e) {
    memcpy(to, event->name, e->name_size);
    to += e->name_size;
    *to++ = '.';
    if (e->topic_size == 0)
        return;
    memcpy(to, event->topic, e->topic_size);
    to[e->topic_size] = '.';
}

static int has_room(const struct jb_publisher *p) {
    return __atomic_load_n(jb_waiting_bytes(p->waiting), __ATOMIC_RELAXED) < p->waiting_bytes_max;
}

/* Sends one event, if it is plain and there is room for it. */
static int publish(struct jb_publisher *p, const struct jb_record *event) {
    struct leaving e;
    if (!has_room(p) || !prepare(p, event, &e))
        return 0;
    zmq_msg_t key, payload;
    if (zmq_msg_init_size(&key, e.key_size) < 0)
        return 0;
    write_key(zmq_msg_data(&key), event, &e);
    int rc = jb_waiting_copy(p->waiting, &payload, e.payload, e.payload_size);
    if (rc == 0) {
        rc = jb_send_frame(p->end.socket, &key, ZMQ_SNDMORE);
        if (rc == 0)
            rc = jb_send_frame(p->end.socket, &payload, 0);
        zmq_msg_close(&payload);
    }
    zmq_msg_close(&key);
    if (rc != 0)
        return 0;
    p->events++;
    p->bytes += e.key_size + e.payload_size;
    return 1;
}

/* How many events are sent under one lock. */
enum { chunk = 256 };

size_t jb_publish_direct(struct jb_end *end, const struct jb_record *events, size_t count) {
    struct jb_publisher *p = (struct jb_publisher *)end;
    size_t sent = 0;
    for (int good = 1; good && sent < count;) {
        jb_lock(&end->lock);
        for (int i = 0; i < chunk && sent < count && good; i++) {
            good = jb_end_is_direct(end) && publish(p, &events[sent]);
            sent += (size_t)good;
        }
        jb_unlock(&end->lock);
    }
    return sent;
}

enum { parts_max = 8 };

int jb_send_direct(struct jb_end *end, const struct jb_frame *frames, size_t count) {
    struct jb_publisher *p = (struct jb_publisher *)end;
    struct jb_part parts[parts_max];
    uint64_t bytes = 0;
    if (count == 0 || count > parts_max || !jb_is_plain_key(frames[0].data, frames[0].size))
        return 0;
    for (size_t i = 0; i < count; i++) {
        const void *data = frames[i].data ? frames[i].data : ""; /* of an empty one */
        parts[i] = (struct jb_part){(uintptr_t)data, frames[i].size, i + 1 == count};
        bytes += frames[i].size;
    }
    jb_lock(&end->lock);
    const int sent = jb_end_is_direct(end) && bytes <= p->event_bytes_max && has_room(p) &&
                     send_event(end->socket, p->waiting, parts, count, NULL) == 0;
    if (sent) {
        p->events++;
        p->bytes += bytes;
    }
    jb_unlock(&end->lock);
    return sent;
}
