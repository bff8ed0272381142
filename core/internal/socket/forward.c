/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The proxy's loop: events go from the publishers' socket to the subscribers', a
 * batch per crossing. Not zmq_proxy, which neither counts nor answers.
 *
 * The subscribers' socket has no bound, and so drops nothing: at its bound libzmq
 * takes a subscriber out until it has read half of what waits, and neither says so
 * nor what it missed. Instead, what waits is counted, and who lets too much wait is
 * cut off: a connection delivers everything in order or ends.
 */
#define _GNU_SOURCE
#include "forward.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "calls.h"

enum { events_per_batch = 1024, bytes_per_batch = 1 << 20 };

/* While much waits for subscribers, a batch at least so often, in ms: one that does not
 * read slows a flood for the others, to 64 MiB/s, until it is cut off. */
enum { paced_ms = 16, paced_look_ms = 1 };
enum { flush_key_bytes = 18, flush_number_bytes = 8 };

static int send_event(void *socket, zmq_msg_t *frames, size_t count) {
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = jb_send_frame(socket, &frames[i], i + 1 < count ? ZMQ_SNDMORE : 0);
    return rc;
}

/* Notes the event under its key; runs of one key share a tally. */
static void tally(struct jb_forwarded *done, const char *key, size_t key_size, size_t bytes) {
    struct jb_tally *last = done->tallies + done->tally_count - 1;
    if (done->tally_count == 0 || last->key_size != key_size ||
        memcmp(done->keys + last->key_offset, key, key_size) != 0) {
        last = &done->tallies[done->tally_count++];
        *last = (struct jb_tally){.key_offset = (uint32_t)done->keys_size,
                                  .key_size = (uint32_t)key_size};
        memcpy(done->keys + done->keys_size, key, key_size);
        done->keys_size += key_size;
    }
    last->events++;
    last->bytes += bytes;
    done->events++;
    done->bytes += bytes;
}

/* The fd of the connection that a message came from; -1 if it has none. */
static int fd_of(zmq_msg_t *frame) {
    return zmq_msg_get(frame, ZMQ_SRCFD);
}

static struct jb_heard *hear(struct jb_forwarded *done, enum jb_heard_kind kind, int fd) {
    struct jb_heard *heard = &done->heard[done->heard_count++];
    *heard = (struct jb_heard){.kind = kind, .fd = fd, .offset = (uint32_t)done->keys_size};
    return heard;
}

static void keep(struct jb_forwarded *done, struct jb_heard *heard, const void *data, size_t size) {
    memcpy(done->keys + done->keys_size, data, size);
    done->keys_size += size;
    heard->size += (uint32_t)size;
}

/* The one reserved key that publishers may use: to ask what has arrived. */
static int is_flush(struct jb_message *e) {
    const unsigned char *key = zmq_msg_data(&e->frames[0]);
    return e->count == 2 && zmq_msg_size(&e->frames[0]) == flush_key_bytes && key[0] == 0xff &&
           key[1] == 'f' && zmq_msg_size(&e->frames[1]) == flush_number_bytes;
}

/* Other reserved keys are refused: no peer may forge what only the proxy says. A key
 * that does not fit a tally is no event's. */
static int is_refused(struct jb_message *e, size_t key_size_max) {
    size_t size = zmq_msg_size(&e->frames[0]);
    return size > key_size_max || jb_is_reserved(zmq_msg_data(&e->frames[0]), size);
}

static int forward_event(const struct jb_forwarder *f, struct jb_message *e,
                         struct jb_forwarded *done) {
    tally(done, zmq_msg_data(&e->frames[0]), zmq_msg_size(&e->frames[0]), e->bytes);
    jb_waiting_trace(f->waiting, &e->frames[e->count - 1], e->bytes, e->count);
    return send_event(f->subscribers, e->frames, e->count);
}

static int has_room(const struct jb_forwarded *done) {
    return done->tally_count < done->tally_capacity && done->heard_count < done->heard_capacity &&
           done->keys_size + done->keys_capacity / 4 <= done->keys_capacity;
}

static int forward_one(const struct jb_forwarder *f, struct jb_message *e,
                       struct jb_forwarded *done) {
    if (e->refused || is_refused(e, done->keys_capacity / 4)) {
        done->refused++;
        return 0;
    }
    return forward_event(f, e, done);
}

static uint64_t waiting_bytes(const struct jb_forwarder *f) {
    return __atomic_load_n(jb_waiting_bytes(f->waiting), __ATOMIC_RELAXED);
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether publishers have to wait for subscribers: libzmq's thread writes less than is
 * read here. They do until what the last batch brought has gone. */
static int is_paced(const struct jb_forwarder *f) {
    uint64_t waiting = waiting_bytes(f);
    return waiting > f->paced_bytes && waiting > f->waited && now_ms() < f->paced_until_ms;
}

static int forward_batch(struct jb_forwarder *f, struct jb_forwarded *done) {
    int rc = 0;
    f->waited = waiting_bytes(f);
    if (f->waited > f->paced_bytes)
        f->paced_until_ms = now_ms() + paced_ms;
    for (int i = 0;
         rc == 0 && i < events_per_batch && done->bytes < bytes_per_batch && has_room(done); i++) {
        struct jb_message *e = jb_inbound_next(f->publishers);
        if (!e)
            break;
        if (!e->refused && is_flush(e)) {
            struct jb_heard *heard = hear(done, jb_flush, -1);
            keep(done, heard, zmq_msg_data(&e->frames[0]), flush_key_bytes);
            keep(done, heard, zmq_msg_data(&e->frames[1]), flush_number_bytes);
        } else {
            rc = forward_one(f, e, done);
        }
        jb_message_clear(e);
    }
    return rc;
}

/* XPUB applies subscriptions when it is read. Half of the report is left to the
 * events: a flood of subscriptions must not stop them. */
static void read_subscriptions(void *socket, struct jb_forwarded *done) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (done->heard_count < done->heard_capacity / 2 &&
           done->keys_size < done->keys_capacity / 2 && jb_receive_frame(socket, &frame) == 0) {
        const char *data = zmq_msg_data(&frame);
        size_t size = zmq_msg_size(&frame);
        if (size == 0 || data[0] < 0 || data[0] > 1 || size > done->keys_capacity / 4)
            continue;
        struct jb_heard *heard =
            hear(done, data[0] ? jb_subscribed : jb_unsubscribed, fd_of(&frame));
        keep(done, heard, data + 1, size - 1);
    }
    zmq_msg_close(&frame);
}

int jb_forward(struct jb_forwarder *f, int timeout_ms, int hold, struct jb_forwarded *done) {
    if (!hold && is_paced(f)) {
        hold = 1;
        timeout_ms = timeout_ms >= 0 && timeout_ms < paced_look_ms ? timeout_ms : paced_look_ms;
    }
    timeout_ms = jb_inbound_timeout(f->publishers, timeout_ms, hold);
    int events = jb_events(f->subscribers);
    if (events < 0)
        return events;
    if (timeout_ms != 0 && !(events & ZMQ_POLLIN)) {
        struct pollfd fds[] = {{jb_inbound_fd(f->publishers, hold), POLLIN, 0},
                               {f->subscribers_fd, POLLIN, 0},
                               {f->wake_fd, POLLIN, 0}};
        atomic_store(f->asleep, 1);
        int rc = poll(fds, 3, timeout_ms);
        atomic_store(f->asleep, 0);
        if (rc < 0 && errno != EINTR)
            return -errno;
    }
    read_subscriptions(f->subscribers, done);
    jb_inbound_tend(f->publishers, hold);
    return hold ? 0 : forward_batch(f, done);
}

int jb_is_readable(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
}
