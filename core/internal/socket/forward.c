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
#include "forward.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "calls.h"
#include "memory.h"

enum { frames_on_stack = 16, events_per_batch = 1024 };
enum { flush_key_bytes = 18, flush_number_bytes = 8, large_bytes = 65536 };

struct event {
    zmq_msg_t on_stack[frames_on_stack];
    zmq_msg_t *frames;
    size_t count;
    size_t capacity;
    size_t bytes;
    size_t wire_bytes;
};

static void release(struct event *e) {
    for (size_t i = 0; i < e->count; i++)
        zmq_msg_close(&e->frames[i]);
    e->count = e->bytes = e->wire_bytes = 0;
}

static int grow(struct event *e) {
    size_t capacity = e->capacity * 2;
    zmq_msg_t *frames = jb_malloc(capacity * sizeof *frames);
    if (!frames)
        return -ENOMEM;
    for (size_t i = 0; i < e->count; i++) {
        zmq_msg_init(&frames[i]);
        zmq_msg_move(&frames[i], &e->frames[i]);
        zmq_msg_close(&e->frames[i]);
    }
    if (e->frames != e->on_stack)
        jb_free(e->frames);
    e->frames = frames;
    e->capacity = capacity;
    return 0;
}

/* Receives one whole event; what is over the limit is received and thrown away,
 * with bytes saying so. */
static int receive(void *socket, struct event *e, size_t event_bytes_max) {
    for (int more = 1; more;) {
        if (e->count == e->capacity && grow(e) < 0) {
            e->bytes = event_bytes_max + 1; /* no memory: it is refused, the rest goes on */
            zmq_msg_close(&e->frames[--e->count]);
        }
        zmq_msg_t *frame = &e->frames[e->count];
        zmq_msg_init(frame);
        int rc = jb_receive_frame(socket, frame);
        if (rc < 0) {
            zmq_msg_close(frame);
            return rc;
        }
        more = zmq_msg_more(frame);
        const size_t size = zmq_msg_size(frame);
        e->bytes += size;
        e->wire_bytes += size + (size > 255 ? 9 : 2);
        if (e->bytes <= event_bytes_max)
            e->count++;
        else
            zmq_msg_close(frame);
    }
    return 0;
}

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

/* Once a batch for each connection, or nearly: telling costs more than the event. `came`
 * has those that it has been told of, each at its place. */
enum { came_fds = 64 };
static void hear_came(struct jb_forwarded *done, int *came, int fd) {
    int *last = &came[(unsigned)fd % came_fds];
    if (*last != fd)
        hear(done, jb_came, fd);
    *last = fd;
}

/* The one reserved key that publishers may use: to ask what has arrived. */
static int is_flush(struct event *e) {
    const unsigned char *key = zmq_msg_data(&e->frames[0]);
    return e->count == 2 && zmq_msg_size(&e->frames[0]) == flush_key_bytes && key[0] == 0xff &&
           key[1] == 'f' && zmq_msg_size(&e->frames[1]) == flush_number_bytes;
}

/* Other reserved keys are refused: no peer may forge what only the proxy says. A key
 * that does not fit a tally is no event's. */
static int refused(struct event *e, size_t event_bytes_max, size_t key_size_max) {
    if (e->bytes > event_bytes_max || e->count == 0)
        return 1;
    size_t size = zmq_msg_size(&e->frames[0]);
    return size > key_size_max || jb_is_reserved(zmq_msg_data(&e->frames[0]), size);
}

static int forward_event(const struct jb_forwarder *f, struct event *e, struct jb_forwarded *done) {
    tally(done, zmq_msg_data(&e->frames[0]), zmq_msg_size(&e->frames[0]), e->bytes);
    jb_waiting_trace(f->waiting, &e->frames[e->count - 1], e->bytes, e->count);
    return send_event(f->subscribers, e->frames, e->count);
}

static int has_room(const struct jb_forwarded *done, size_t key_size_max) {
    return done->tally_count < done->tally_capacity && done->heard_count < done->heard_capacity &&
           done->keys_size + key_size_max <= done->keys_capacity;
}

static int forward_batch(const struct jb_forwarder *f, struct jb_forwarded *done) {
    struct event e;
    e.frames = e.on_stack;
    e.capacity = frames_on_stack;
    e.count = e.bytes = e.wire_bytes = 0;
    int came[came_fds];
    memset(came, 0xff, sizeof came);
    const size_t key_size_max = done->keys_capacity / 4;
    int rc = 0;
    for (int i = 0; rc == 0 && i < events_per_batch && has_room(done, key_size_max); i++) {
        rc = receive(f->publishers, &e, f->event_bytes_max);
        done->taken += rc == 0;
        done->taken_bytes += e.wire_bytes;
        /* Of a large event always: it costs nothing beside the event, and suspicion may
         * have begun while it arrived. */
        if (rc == 0 && (f->suspicious || e.bytes >= large_bytes) && e.count > 0)
            hear_came(done, came, fd_of(&e.frames[0]));
        if (rc == 0 && e.bytes <= f->event_bytes_max && is_flush(&e)) {
            struct jb_heard *heard = hear(done, jb_flush, fd_of(&e.frames[0]));
            keep(done, heard, zmq_msg_data(&e.frames[0]), flush_key_bytes);
            keep(done, heard, zmq_msg_data(&e.frames[1]), flush_number_bytes);
        } else if (rc == 0 && refused(&e, f->event_bytes_max, key_size_max)) {
            done->refused++;
        } else if (rc == 0) {
            rc = forward_event(f, &e, done);
        }
        release(&e);
    }
    if (e.frames != e.on_stack)
        jb_free(e.frames);
    done->taken_all = rc == -EAGAIN;
    return rc == -EAGAIN ? 0 : rc;
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

int jb_forward(const struct jb_forwarder *f, int timeout_ms, int hold, struct jb_forwarded *done) {
    int readable = jb_events(f->publishers);
    if (readable < 0)
        return readable;
    int work = (readable & ZMQ_POLLIN) && !hold;
    int subscriptions = jb_events(f->subscribers) & ZMQ_POLLIN;
    if (!work && !subscriptions) {
        struct pollfd fds[] = {
            {f->publishers_fd, POLLIN, 0}, {f->subscribers_fd, POLLIN, 0}, {f->wake_fd, POLLIN, 0}};
        atomic_store(f->asleep, !hold);
        int rc = poll(fds, 3, timeout_ms);
        atomic_store(f->asleep, 0);
        if (rc < 0 && errno != EINTR)
            return -errno;
    }
    read_subscriptions(f->subscribers, done);
    return hold ? 0 : forward_batch(f, done);
}

int jb_is_readable(int fd) {
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
}
