/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The proxy's loop: events go from the publishers' socket to the subscribers',
 * a batch per crossing. Not zmq_proxy: that one drops without counting, and with
 * ZMQ_XPUB_NODROP one stuck subscriber would stop it.
 *
 * Each event is tried with ZMQ_XPUB_NODROP first. If a subscriber has no room,
 * the event is counted as dropped and sent once more without: then all but the
 * full ones receive it.
 */
#include "forward.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

/* Frames from large_bytes on are counted while they wait: what smaller ones can take
 * is bounded by their number. */
enum { frames_on_stack = 16, events_per_batch = 1024, large_bytes = 512 };
enum { flush_key_bytes = 18, flush_number_bytes = 8 };

struct jb_waiting {
    atomic_uint_fast64_t events, bytes;
    atomic_int references;
};

struct jb_waiting *jb_waiting_new(void) {
    struct jb_waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting)
        atomic_store(&waiting->references, 1);
    return waiting;
}

void jb_waiting_release(struct jb_waiting *waiting) {
    if (waiting && atomic_fetch_sub(&waiting->references, 1) == 1)
        free(waiting);
}

/* A large frame on its way: the one that came, inside the one that goes. */
struct large {
    zmq_msg_t frame;
    struct jb_waiting *waiting;
};

/* libzmq calls this, in any thread, when the last subscriber is done with it. */
static void has_left(void *data, void *hint) {
    (void)data;
    struct large *large = hint;
    atomic_fetch_sub(&large->waiting->events, 1);
    atomic_fetch_sub(&large->waiting->bytes, zmq_msg_size(&large->frame));
    jb_waiting_release(large->waiting);
    zmq_msg_close(&large->frame);
    free(large);
}

/* Wraps a large frame so that it is counted; without memory it goes uncounted. */
static void count_while_it_waits(zmq_msg_t *frame, struct jb_waiting *waiting) {
    struct large *large = zmq_msg_size(frame) >= large_bytes ? malloc(sizeof *large) : NULL;
    if (!large)
        return;
    zmq_msg_init(&large->frame);
    zmq_msg_move(&large->frame, frame);
    large->waiting = waiting;
    size_t size = zmq_msg_size(&large->frame);
    if (zmq_msg_init_data(frame, zmq_msg_data(&large->frame), size, has_left, large) < 0) {
        zmq_msg_init(frame);
        zmq_msg_move(frame, &large->frame);
        free(large);
        return;
    }
    atomic_fetch_add(&waiting->events, 1);
    atomic_fetch_add(&waiting->bytes, size);
    atomic_fetch_add(&waiting->references, 1);
}

struct event {
    zmq_msg_t on_stack[frames_on_stack];
    zmq_msg_t *frames;
    size_t count;
    size_t capacity;
    size_t bytes;
};

static void release(struct event *e) {
    for (size_t i = 0; i < e->count; i++)
        zmq_msg_close(&e->frames[i]);
    e->count = e->bytes = 0;
}

static int grow(struct event *e) {
    size_t capacity = e->capacity * 2;
    zmq_msg_t *frames = malloc(capacity * sizeof *frames);
    if (!frames)
        return -ENOMEM;
    for (size_t i = 0; i < e->count; i++) {
        zmq_msg_init(&frames[i]);
        zmq_msg_move(&frames[i], &e->frames[i]);
        zmq_msg_close(&e->frames[i]);
    }
    if (e->frames != e->on_stack)
        free(e->frames);
    e->frames = frames;
    e->capacity = capacity;
    return 0;
}

/* Receives one whole event; what is over the limit is received and thrown away,
 * with bytes saying so. */
static int receive(void *socket, struct event *e, size_t event_bytes_max) {
    for (int more = 1; more;) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        int rc = jb_receive_frame(socket, &frame);
        if (rc < 0) {
            zmq_msg_close(&frame);
            return rc;
        }
        more = zmq_msg_more(&frame);
        e->bytes += zmq_msg_size(&frame);
        if (e->bytes <= event_bytes_max) {
            if (e->count == e->capacity && grow(e) < 0)
                return -ENOMEM;
            zmq_msg_init(&e->frames[e->count]);
            zmq_msg_move(&e->frames[e->count++], &frame);
        }
        zmq_msg_close(&frame);
    }
    return 0;
}

static int set_nodrop(void *socket, int on) {
    return zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &on, sizeof on) < 0 ? -errno : 0;
}

/* Returns 1 if a subscriber had no room, 0, or a negative errno. */
static int send_event(void *socket, zmq_msg_t *frames, size_t count) {
    int rc = 0, lossy = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        int flags = i + 1 < count ? ZMQ_SNDMORE : 0;
        rc = jb_send_frame(socket, &frames[i], flags);
        if (rc == -EAGAIN && i == 0) {
            lossy = 1;
            rc = set_nodrop(socket, 0);
            if (rc == 0)
                rc = jb_send_frame(socket, &frames[i], flags);
        }
    }
    if (lossy) {
        int restored = set_nodrop(socket, 1);
        if (rc == 0)
            rc = restored;
    }
    return rc < 0 ? rc : lossy;
}

/* Notes the event under its key; runs of one key share a tally. */
static struct jb_tally *tally(struct jb_forwarded *done, const char *key, size_t key_size,
                              size_t bytes) {
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
    return last;
}

/* The fd of the connection that a message came from; -1 if it has none. */
static int fd_of(zmq_msg_t *frame) {
    return zmq_msg_get(frame, ZMQ_SRCFD);
}

static struct jb_heard *hear(struct jb_forwarded *done, enum jb_heard_kind kind, zmq_msg_t *frame) {
    struct jb_heard *heard = &done->heard[done->heard_count++];
    *heard =
        (struct jb_heard){.kind = kind, .fd = fd_of(frame), .offset = (uint32_t)done->keys_size};
    return heard;
}

static void keep(struct jb_forwarded *done, struct jb_heard *heard, const void *data, size_t size) {
    memcpy(done->keys + done->keys_size, data, size);
    done->keys_size += size;
    heard->size += (uint32_t)size;
}

static int is_reserved(const void *key, size_t size) {
    return size > 0 && *(const unsigned char *)key == 0xff;
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
    return size > key_size_max || is_reserved(zmq_msg_data(&e->frames[0]), size);
}

static int forward_event(const struct jb_forwarder *f, struct event *e, struct jb_forwarded *done) {
    struct jb_tally *t =
        tally(done, zmq_msg_data(&e->frames[0]), zmq_msg_size(&e->frames[0]), e->bytes);
    for (size_t i = 0; i < e->count; i++)
        count_while_it_waits(&e->frames[i], f->waiting);
    int lossy = send_event(f->subscribers, e->frames, e->count);
    if (lossy <= 0)
        return lossy;
    t->dropped++;
    done->dropped++;
    return 0;
}

static int has_room(const struct jb_forwarded *done, size_t key_size_max) {
    return done->tally_count < done->tally_capacity && done->heard_count < done->heard_capacity &&
           done->keys_size + key_size_max <= done->keys_capacity;
}

static int forward_batch(const struct jb_forwarder *f, struct jb_forwarded *done) {
    struct event e;
    e.frames = e.on_stack;
    e.capacity = frames_on_stack;
    e.count = e.bytes = 0;
    const size_t key_size_max = done->keys_capacity / 4;
    int rc = 0;
    for (int i = 0; rc == 0 && i < events_per_batch && has_room(done, key_size_max); i++) {
        rc = receive(f->publishers, &e, f->event_bytes_max);
        if (rc == 0 && f->suspicious && e.count > 0)
            hear(done, jb_came, &e.frames[0]);
        if (rc == 0 && e.bytes <= f->event_bytes_max && is_flush(&e)) {
            struct jb_heard *heard = hear(done, jb_flush, &e.frames[0]);
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
        free(e.frames);
    return rc == -EAGAIN ? 0 : rc;
}

/* XPUB applies subscriptions when it is read. Of those to events, who made them is of
 * interest; those to reserved keys are questions. Half of the report is left to the
 * events: a flood of subscriptions must not stop them. */
static void read_subscriptions(void *socket, struct jb_forwarded *done) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (done->heard_count < done->heard_capacity / 2 &&
           done->keys_size < done->keys_capacity / 2 && jb_receive_frame(socket, &frame) == 0) {
        const char *data = zmq_msg_data(&frame);
        size_t size = zmq_msg_size(&frame);
        if (size == 0 || data[0] < 0 || data[0] > 1)
            continue;
        struct jb_heard *heard = hear(done, data[0] ? jb_subscribed : jb_unsubscribed, &frame);
        if (is_reserved(data + 1, size - 1) && size - 1 <= done->keys_capacity / 4)
            keep(done, heard, data + 1, size - 1);
        else
            *heard = (struct jb_heard){.kind = heard->kind,
                                       .fd = heard->fd,
                                       .size = (uint32_t)(size - 1),
                                       .offset = UINT32_MAX};
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
        if (poll(fds, 3, timeout_ms) < 0 && errno != EINTR)
            return -errno;
    }
    read_subscriptions(f->subscribers, done);
    int rc = hold ? 0 : forward_batch(f, done);
    done->waiting_events = atomic_load(&f->waiting->events);
    done->waiting_bytes = atomic_load(&f->waiting->bytes);
    return rc;
}

int jb_tell(void *subscribers, const void *key, size_t key_size, const void *payload,
            size_t payload_size) {
    zmq_msg_t frames[2];
    const void *data[] = {key, payload};
    const size_t sizes[] = {key_size, payload_size};
    for (int i = 0; i < 2; i++) {
        if (zmq_msg_init_size(&frames[i], sizes[i]) < 0) {
            if (i > 0)
                zmq_msg_close(&frames[0]);
            return -ENOMEM;
        }
        memcpy(zmq_msg_data(&frames[i]), data[i], sizes[i]);
    }
    int rc = send_event(subscribers, frames, 2);
    zmq_msg_close(&frames[0]);
    zmq_msg_close(&frames[1]);
    return rc;
}
