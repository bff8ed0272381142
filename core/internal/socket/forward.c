/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The proxy's loop: events go from the publishers' side to the subscribers', a batch
 * per crossing, as they came. Not zmq_proxy, which neither counts nor answers.
 */
#define _GNU_SOURCE
#include "forward.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "calls.h"

enum { events_per_batch = 1024, bytes_per_batch = 1 << 20, subscriptions_per_batch = 4096 };

/* While much waits for subscribers, a batch at least so often, in ms: one that does not
 * read slows a flood for the others, to 64 MiB/s, until it is cut off. */
enum { paced_ms = 16, paced_look_ms = 1 };
enum { flush_key_bytes = 18, flush_number_bytes = 8 };

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

/* Takes back what was noted last. */
static void untally(struct jb_forwarded *done, size_t bytes) {
    struct jb_tally *last = done->tallies + done->tally_count - 1;
    last->events--;
    last->bytes -= bytes;
    done->events--;
    done->bytes -= bytes;
    if (last->events == 0) {
        done->tally_count--;
        done->keys_size = last->key_offset;
    }
}

static struct jb_heard *hear(struct jb_forwarded *done, enum jb_heard_kind kind) {
    struct jb_heard *heard = &done->heard[done->heard_count++];
    *heard = (struct jb_heard){.kind = kind, .offset = (uint32_t)done->keys_size};
    return heard;
}

static void keep(struct jb_forwarded *done, struct jb_heard *heard, const void *data, size_t size) {
    memcpy(done->keys + done->keys_size, data, size);
    done->keys_size += size;
    heard->size += (uint32_t)size;
}

/* The one reserved key that publishers may use: to ask what has arrived. */
static int is_flush(const struct jb_message *m) {
    const unsigned char *key = m->wire + m->key;
    return m->frame_count == 2 && m->key_size == flush_key_bytes && key[0] == 0xff &&
           key[1] == 'f' && m->last_size == flush_number_bytes;
}

/* Other reserved keys are refused: no peer may forge what only the proxy says. A key
 * that does not fit a tally is no event's. */
static int is_refused(const struct jb_message *m, size_t key_size_max) {
    return m->refused || m->key_size > key_size_max ||
           jb_is_reserved(m->wire + m->key, m->key_size);
}

static void forward_event(const struct jb_forwarder *f, struct jb_connection *c,
                          struct jb_forwarded *done) {
    const struct jb_message *m = &c->message;
    const size_t bytes = (size_t)m->bytes;
    tally(done, (const char *)m->wire + m->key, m->key_size, bytes);
    if (jb_outbound_send(f->subscribers, m, jb_connection_give(c)) < 0) {
        untally(done, bytes);
        done->refused++;
    }
}

static int has_room(const struct jb_forwarded *done) {
    return done->tally_count < done->tally_capacity && done->heard_count < done->heard_capacity &&
           done->keys_size + done->keys_capacity / 4 <= done->keys_capacity;
}

/* Whether publishers have to wait for subscribers, until what the last batch brought has
 * gone. */
static int is_paced(const struct jb_forwarder *f) {
    const uint64_t waiting = jb_outbound_waiting(f->subscribers);
    return waiting > f->paced_bytes && waiting > f->waited && jb_now_ms() < f->paced_until_ms;
}

static void forward_batch(struct jb_forwarder *f, struct jb_forwarded *done) {
    f->waited = jb_outbound_waiting(f->subscribers);
    if (f->waited > f->paced_bytes)
        f->paced_until_ms = jb_now_ms() + paced_ms;
    for (int i = 0; i < events_per_batch && done->bytes < bytes_per_batch && has_room(done); i++) {
        struct jb_connection *c = jb_side_next(f->publishers);
        if (!c)
            break;
        const struct jb_message *m = &c->message;
        if (!m->refused && is_flush(m)) {
            struct jb_heard *heard = hear(done, jb_flush);
            keep(done, heard, m->wire + m->key, m->key_size);
            keep(done, heard, m->wire + m->last, m->last_size);
        } else if (is_refused(m, done->keys_capacity / 4)) {
            done->refused++;
        } else {
            forward_event(f, c, done);
        }
    }
}

/* Half of the report is left to the events: a flood of subscriptions must not stop them. */
static void read_subscriptions(struct jb_outbound *subscribers, struct jb_forwarded *done) {
    struct jb_change change;
    int left = subscriptions_per_batch;
    while (done->heard_count < done->heard_capacity / 2 &&
           done->keys_size < done->keys_capacity / 2 &&
           jb_outbound_next(subscribers, &change, &left)) {
        struct jb_heard *heard = hear(done, change.subscribed ? jb_subscribed : jb_unsubscribed);
        keep(done, heard, change.filter, change.size);
    }
}

/* Where there is something to do. */
struct work {
    int publishers, subscribers;
};

static int wait_for_work(struct jb_forwarder *f, int timeout_ms, int hold, struct work *work) {
    *work = (struct work){1, 1};
    timeout_ms = jb_side_timeout(f->publishers, timeout_ms, hold);
    timeout_ms = jb_outbound_timeout(f->subscribers, timeout_ms);
    if (timeout_ms == 0)
        return 0;
    struct pollfd fds[] = {{jb_side_fd(f->publishers, hold), POLLIN, 0},
                           {jb_side_fd(jb_outbound_side(f->subscribers), 0), POLLIN, 0},
                           {f->wake_fd, POLLIN, 0}};
    int count = poll(fds, 3, timeout_ms);
    if (count < 0 && errno != EINTR)
        return -errno;
    if (count > 0) /* else it may be time for what is done at times */
        *work = (struct work){fds[0].revents, fds[1].revents};
    return 0;
}

int jb_forward(struct jb_forwarder *f, int timeout_ms, int hold, struct jb_forwarded *done) {
    if (!hold && is_paced(f)) {
        hold = 1;
        timeout_ms = timeout_ms >= 0 && timeout_ms < paced_look_ms ? timeout_ms : paced_look_ms;
    }
    jb_outbound_flush(f->subscribers); /* what the proxy itself has said */
    struct work work;
    int rc = wait_for_work(f, timeout_ms, hold, &work);
    if (rc < 0)
        return rc;
    if (work.subscribers) {
        jb_side_tend(jb_outbound_side(f->subscribers), 0);
        read_subscriptions(f->subscribers, done);
    }
    if (work.publishers) {
        jb_side_tend(f->publishers, hold);
        if (!hold)
            forward_batch(f, done);
    }
    jb_outbound_flush(f->subscribers);
    jb_outbound_relieve(f->subscribers);
    return 0;
}
