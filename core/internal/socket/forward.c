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
#include <stdlib.h>
#include <string.h>

#include "calls.h"

enum { frames_on_stack = 16, events_per_batch = 1024 };

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

static int send_event(void *socket, struct event *e, uint64_t *dropped) {
    int rc = 0, lossy = 0;
    for (size_t i = 0; i < e->count && rc == 0; i++) {
        int flags = i + 1 < e->count ? ZMQ_SNDMORE : 0;
        rc = jb_send_frame(socket, &e->frames[i], flags);
        if (rc == -EAGAIN && i == 0) {
            lossy = 1;
            ++*dropped;
            rc = set_nodrop(socket, 0);
            if (rc == 0)
                rc = jb_send_frame(socket, &e->frames[i], flags);
        }
    }
    if (lossy) {
        int restored = set_nodrop(socket, 1);
        if (rc == 0)
            rc = restored;
    }
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

/* Reserved keys (first byte 0xFF) are the control plane's: no peer may forge
 * what only the proxy says. A key that does not fit a tally is no event's. */
static int refused(const struct event *e, size_t event_bytes_max, size_t key_size_max) {
    if (e->bytes > event_bytes_max || e->count == 0)
        return 1;
    size_t size = zmq_msg_size(&e->frames[0]);
    const unsigned char *key = zmq_msg_data((zmq_msg_t *)&e->frames[0]);
    return size > key_size_max || (size > 0 && key[0] == 0xff);
}

static int forward_batch(const struct jb_forwarder *f, struct jb_forwarded *done) {
    struct event e;
    e.frames = e.on_stack;
    e.capacity = frames_on_stack;
    e.count = e.bytes = 0;
    const size_t key_size_max = done->keys_capacity / 4;
    int rc = 0;
    for (int i = 0; rc == 0 && i < events_per_batch && done->tally_count < done->tally_capacity &&
                    done->keys_size + key_size_max <= done->keys_capacity;
         i++) {
        rc = receive(f->publishers, &e, f->event_bytes_max);
        if (rc == 0 && refused(&e, f->event_bytes_max, key_size_max)) {
            done->refused++;
        } else if (rc == 0) {
            tally(done, zmq_msg_data(&e.frames[0]), zmq_msg_size(&e.frames[0]), e.bytes);
            rc = send_event(f->subscribers, &e, &done->dropped);
        }
        release(&e);
    }
    if (e.frames != e.on_stack)
        free(e.frames);
    return rc == -EAGAIN ? 0 : rc;
}

/* XPUB applies subscriptions when it is read; what they say is of no interest. */
static void read_subscriptions(void *socket) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (jb_receive_frame(socket, &frame) == 0)
        ;
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
    read_subscriptions(f->subscribers);
    return hold ? 0 : forward_batch(f, done);
}
