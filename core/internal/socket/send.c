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

/* What is needed to know of an event before it is sent. */
struct plain {
    size_t name_size, topic_size, key_size;
};

/* Whether an event is good, without Go. */
static int is_plain(const struct jb_publisher *p, const struct jb_record *event,
                    struct plain *plain) {
    plain->name_size = strlen(event->name);
    plain->topic_size = event->topic ? strlen(event->topic) : 0;
    plain->key_size = plain->name_size + 1 + (plain->topic_size ? plain->topic_size + 1 : 0);
    return event->frame_count == 0 && plain->name_size > 0 &&
           plain->name_size + plain->topic_size <= name_and_topic_max &&
           plain->key_size + event->payload_size <= p->event_bytes_max &&
           jb_is_plain_name(event->name, plain->name_size) &&
           (plain->topic_size == 0 || jb_is_plain_name(event->topic, plain->topic_size)) &&
           (p->unchecked || jb_is_plain_cbor(event->payload, event->payload_size));
}

static void write_key(char *to, const struct jb_record *event, const struct plain *plain) {
    memcpy(to, event->name, plain->name_size);
    to += plain->name_size;
    *to++ = '.';
    if (plain->topic_size == 0)
        return;
    memcpy(to, event->topic, plain->topic_size);
    to[plain->topic_size] = '.';
}

/* Sends one event, if it is plain and there is room for it. */
static int publish(struct jb_publisher *p, const struct jb_record *event) {
    struct plain plain;
    if (__atomic_load_n(jb_waiting_bytes(p->waiting), __ATOMIC_RELAXED) >= p->waiting_bytes_max ||
        !is_plain(p, event, &plain))
        return 0;
    zmq_msg_t key, payload;
    if (zmq_msg_init_size(&key, plain.key_size) < 0)
        return 0;
    write_key(zmq_msg_data(&key), event, &plain);
    int rc = jb_waiting_copy(p->waiting, &payload, event->payload, event->payload_size);
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
    p->bytes += plain.key_size + event->payload_size;
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
