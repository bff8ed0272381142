/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#define _GNU_SOURCE
#include "outbound.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "calls.h"
#include "memory.h"

/* Events are put into chunks, one behind the other, for all subscribers together. Large
 * ones have their own. */
enum { chunk_bytes = 65536, own_chunk_bytes_min = 16384 };

/* Of a subscriber that does not read, ranges smaller than this part of their chunk are
 * copied to its own: they must not keep a whole chunk. */
enum { sparse_part = 4, copy_bytes_min = 4096 };

enum { iov_max = 64, ranges_at_first = 8 };

/* For how long, in ms, a subscriber must have taken nothing; a lost packet is sent again
 * after 200 at the earliest. And for how long too much may wait although all take some. */
enum { frozen_ms = 250, slow_ms = 1000, relieve_look_ms = 50 };

/* How fast a subscriber must read a single event that is too much alone: 4 MiB/s. */
enum { well_bytes_per_ms = 4096 };

struct chunk {
    size_t references, size, capacity;
    unsigned char *data; /* behind this, or of its own */
    int is_own;
};

/* A piece of a chunk that waits for a subscriber. */
struct range {
    struct chunk *chunk;
    size_t offset, size;
};

struct subscriber {
    struct jb_connection connection; /* first */
    struct jb_seats seats;
    struct range few[ranges_at_first];
    struct range *ranges; /* a ring, of a power of two; few, or NULL, until there are more */
    size_t first, count, capacity;
    size_t settled;    /* of the first ranges: none of them is sparse */
    uint64_t waiting;  /* bytes */
    int64_t moved_ms;  /* when it last took some, or had nothing to take */
    int64_t first_ms;  /* since when the first range is that */
    int64_t behind_ms; /* since when something has waited all the time */
    int is_fresh;      /* something has come for it since the last flush */
    int is_blocked;    /* until it is writable */
    int misses;        /* the last message did not find memory */
    struct subscriber *next_fresh;
};

struct jb_outbound {
    struct jb_outbound_options options;
    struct jb_side *side;
    struct jb_routes *routes;
    struct chunk *current;
    uint64_t memory; /* of chunks and rings */
    struct subscriber *fresh;
    int64_t relieving_ms; /* since when too much waits; 0: it does not */
    int64_t relieved_ms;  /* when that was last looked at */
    struct gone *gone;    /* reserved keys of those that have ended, not told yet */
};

/* A reserved key that somebody had subscribed to. */
struct gone {
    struct gone *next;
    size_t size;
    unsigned char filter[];
};

/* A chunk with its reference; owned is its data, or NULL. */
static struct chunk *chunk_new(struct jb_outbound *out, unsigned char *owned, size_t capacity) {
    struct chunk *chunk = jb_malloc(sizeof *chunk + (owned ? 0 : capacity));
    if (!chunk)
        return NULL;
    *chunk =
        (struct chunk){1, 0, capacity, owned ? owned : (unsigned char *)(chunk + 1), owned != NULL};
    out->memory += capacity;
    return chunk;
}

static void ends(void *owner, struct jb_connection *c);
static void writable(void *owner, struct jb_connection *c);
static int answer(void *owner, struct jb_connection *c);

struct jb_outbound *jb_outbound_new(int listening, const struct jb_outbound_options *options) {
    struct jb_outbound *out = jb_calloc(1, sizeof *out);
    if (!out) {
        errno = ENOMEM;
        return NULL;
    }
    out->options = *options;
    struct jb_side_options *side = &out->options.side;
    side->peers = jb_subscriber_role;
    side->connection_size = sizeof(struct subscriber);
    side->owner = out;
    side->answer = answer;
    side->writable = writable;
    side->ends = ends;
    errno = ENOMEM;
    out->routes = jb_routes_new();
    out->current = chunk_new(out, NULL, chunk_bytes);
    out->side = out->routes && out->current ? jb_side_new(listening, side) : NULL;
    if (!out->side) {
        int error = errno;
        jb_outbound_free(out);
        errno = error;
        return NULL;
    }
    return out;
}

static void drop(struct jb_outbound *out, struct chunk *chunk) {
    if (--chunk->references > 0)
        return;
    out->memory -= chunk->capacity;
    if (chunk->is_own)
        jb_free(chunk->data);
    jb_free(chunk);
}

void jb_outbound_free(struct jb_outbound *out) {
    if (!out)
        return;
    jb_side_free(out->side);
    jb_routes_free(out->routes);
    if (out->current)
        drop(out, out->current);
    for (struct gone *one = out->gone, *next; one; one = next) {
        next = one->next;
        jb_free(one);
    }
    jb_free(out);
}

struct jb_side *jb_outbound_side(const struct jb_outbound *out) {
    return out->side;
}

uint64_t jb_outbound_waiting(const struct jb_outbound *out) {
    return out->memory - (out->current->references == 1 ? out->current->capacity : 0);
}

static size_t put(struct chunk *chunk, const void *data, size_t size) {
    const size_t at = chunk->size;
    memcpy(chunk->data + at, data, size);
    chunk->size += size;
    return at;
}

static struct range *range_at(const struct subscriber *s, size_t index) {
    return &s->ranges[(s->first + index) & (s->capacity - 1)];
}

/* Gives back the memory of a ring, which the caller has copied or has no use for. */
static void begin_ring(struct jb_outbound *out, struct subscriber *s, struct range *ranges,
                       size_t capacity) {
    if (s->ranges && s->ranges != s->few) {
        out->memory -= s->capacity * sizeof *ranges;
        jb_free(s->ranges);
    }
    if (ranges != s->few)
        out->memory += capacity * sizeof *ranges;
    s->ranges = ranges;
    s->first = 0;
    s->capacity = capacity;
}

static int grow_ranges(struct jb_outbound *out, struct subscriber *s) {
    const size_t capacity = s->capacity ? 2 * s->capacity : ranges_at_first;
    struct range *ranges = s->ranges ? jb_malloc(capacity * sizeof *ranges) : s->few;
    if (!ranges)
        return -ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        ranges[i] = *range_at(s, i);
    begin_ring(out, s, ranges, capacity);
    return 0;
}

/* Puts a piece of a chunk to the end of what waits for a subscriber. */
static int append(struct jb_outbound *out, struct subscriber *s, struct chunk *chunk, size_t offset,
                  size_t size) {
    struct range *last = s->count > 0 ? range_at(s, s->count - 1) : NULL;
    if (last && last->chunk == chunk && last->offset + last->size == offset) {
        last->size += size;
    } else {
        if (s->count == s->capacity && grow_ranges(out, s) < 0)
            return -ENOMEM;
        *range_at(s, s->count++) = (struct range){chunk, offset, size};
        chunk->references++;
    }
    if (s->waiting == 0)
        s->moved_ms = s->first_ms = s->behind_ms = jb_now_ms();
    s->waiting += size;
    if (!s->is_fresh) {
        s->is_fresh = 1;
        s->next_fresh = out->fresh;
        out->fresh = s;
    }
    return 0;
}

/* Forgets bytes that have been written. */
static void written(struct jb_outbound *out, struct subscriber *s, size_t bytes) {
    s->waiting -= bytes;
    while (bytes > 0) {
        struct range *range = range_at(s, 0);
        if (bytes < range->size) {
            range->offset += bytes;
            range->size -= bytes;
            return;
        }
        bytes -= range->size;
        drop(out, range->chunk);
        s->first++;
        s->count--;
        s->settled -= s->settled > 0;
        if (s->count == 1)
            s->first_ms = jb_now_ms();
    }
}

static void forget_ranges(struct jb_outbound *out, struct subscriber *s) {
    for (size_t i = 0; i < s->count; i++)
        drop(out, range_at(s, i)->chunk);
    begin_ring(out, s, s->few, ranges_at_first);
    s->count = s->settled = 0;
    s->waiting = 0;
}

/* Writes what can be written. Returns whether any could; -ECONNRESET. */
static int write_some(struct jb_outbound *out, struct subscriber *s) {
    int moved = 0;
    s->is_blocked = 0;
    while (s->count > 0) {
        struct iovec parts[iov_max];
        size_t count = s->count < iov_max ? s->count : iov_max, all = 0;
        for (size_t i = 0; i < count; i++) {
            const struct range *range = range_at(s, i);
            parts[i] = (struct iovec){range->chunk->data + range->offset, range->size};
            all += range->size;
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        ssize_t size = sendmsg(s->connection.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno != EAGAIN)
            return -ECONNRESET;
        if (size > 0) {
            written(out, s, (size_t)size);
            moved = 1;
        }
        s->is_blocked = size < (ssize_t)all;
        if (s->is_blocked)
            break;
    }
    if (moved)
        s->moved_ms = jb_now_ms();
    if (s->count == 0 && s->capacity > ranges_at_first)
        forget_ranges(out, s);
    jb_side_await_writable(out->side, &s->connection, s->is_blocked);
    return moved;
}

/* The subscriber's own chunk, at the end of the first `count` ranges, with room. */
static struct chunk *own_chunk(struct jb_outbound *out, struct subscriber *s, size_t count,
                               size_t size) {
    struct chunk *last = count > 0 ? range_at(s, count - 1)->chunk : NULL;
    if (last && last->references == 1 && last->capacity - last->size >= size)
        return last;
    const size_t want = s->waiting < chunk_bytes / 2 ? 2 * (size_t)s->waiting : chunk_bytes;
    return chunk_new(out, NULL, want > copy_bytes_min ? want : copy_bytes_min);
}

static int is_sparse(const struct range *range) {
    return range->size < range->chunk->capacity / sparse_part &&
           range->size <= chunk_bytes / sparse_part; /* what fits into any of its own */
}

/* Copies what is sparse of what has come for a subscriber that does not read. */
static void settle(struct jb_outbound *out, struct subscriber *s) {
    size_t kept = s->settled;
    for (size_t i = s->settled; i < s->count; i++) {
        struct range range = *range_at(s, i);
        struct chunk *own = is_sparse(&range) ? own_chunk(out, s, kept, range.size) : NULL;
        if (own) {
            const size_t at = put(own, range.chunk->data + range.offset, range.size);
            struct range *last = kept > 0 ? range_at(s, kept - 1) : NULL;
            drop(out, range.chunk);
            if (last && last->chunk == own && last->offset + last->size == at) {
                last->size += range.size;
                continue;
            }
            if (last && last->chunk == own)
                own->references++;
            range = (struct range){own, at, range.size};
        }
        *range_at(s, kept++) = range;
    }
    s->count = s->settled = kept;
}

void jb_outbound_flush(struct jb_outbound *out) {
    while (out->fresh) {
        struct subscriber *s = out->fresh;
        out->fresh = s->next_fresh;
        s->is_fresh = 0;
        if (!s->is_blocked && write_some(out, s) < 0)
            jb_side_end(out->side, &s->connection);
        else if (s->is_blocked)
            settle(out, s);
    }
}

static void writable(void *owner, struct jb_connection *c) {
    struct jb_outbound *out = owner;
    struct subscriber *s = (struct subscriber *)c;
    if (write_some(out, s) < 0)
        jb_side_end(out->side, c);
}

/* Chooses where a message lies: in a chunk of its own, or behind the others. */
static struct chunk *place(struct jb_outbound *out, const struct jb_message *m,
                           unsigned char *owned, size_t *at) {
    const size_t size = m->wire_size;
    if (size >= own_chunk_bytes_min) {
        struct chunk *chunk = chunk_new(out, owned, size);
        *at = 0;
        if (!chunk)
            return NULL;
        if (owned)
            chunk->size = size;
        else
            put(chunk, m->wire, size);
        return chunk;
    }
    struct chunk *chunk = out->current;
    if (chunk->references == 1)
        chunk->size = 0;
    if (chunk->capacity - chunk->size < size) {
        chunk = chunk_new(out, NULL, chunk_bytes);
        if (!chunk)
            return NULL;
        drop(out, out->current);
        out->current = chunk;
    }
    *at = put(chunk, m->wire, size);
    chunk->references++; /* as one of its own has */
    return chunk;
}

static struct subscriber *subscriber_of(struct jb_seats *seats) {
    return (struct subscriber *)(void *)((char *)seats - offsetof(struct subscriber, seats));
}

int jb_outbound_send(struct jb_outbound *out, const struct jb_message *m, unsigned char *owned) {
    struct jb_seats **found;
    const size_t count = jb_routes_match(out->routes, m->wire + m->key, m->key_size, &found);
    size_t at, missing = 0;
    struct chunk *chunk = count > 0 ? place(out, m, owned, &at) : NULL;
    if (!chunk || !chunk->is_own)
        jb_free(owned);
    if (!chunk && count > 0)
        return -ENOMEM;
    jb_routes_count(out->routes);
    if (!chunk)
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct subscriber *s = subscriber_of(found[i]);
        s->misses = append(out, s, chunk, at, m->wire_size) < 0;
        missing += (size_t)s->misses;
    }
    drop(out, chunk);
    for (size_t i = 0; i < count && missing > 0; i++) {
        struct subscriber *s = subscriber_of(found[i]);
        if (s->misses) { /* it has to begin anew */
            missing--;
            jb_side_cut(out->side, &s->connection, jb_cut_memory);
        }
    }
    return 0;
}

void jb_outbound_tell(struct jb_outbound *out, const void *wire, size_t wire_size, size_t key,
                      size_t key_size) {
    struct jb_message message = {
        .wire = wire, .wire_size = wire_size, .key = key, .key_size = key_size};
    (void)jb_outbound_send(out, &message, NULL); /* it is asked for again */
}

struct jb_route *jb_outbound_watch(struct jb_outbound *out, const void *filter, size_t size) {
    return jb_routes_watch(out->routes, filter, size);
}

void jb_outbound_unwatch(struct jb_outbound *out, struct jb_route *route) {
    jb_routes_unwatch(out->routes, route);
}

/* Behind what waits: that may have been written in part. Who does not read has enough that
 * shows that the proxy is there. */
static int answer(void *owner, struct jb_connection *c) {
    struct jb_outbound *out = owner;
    struct subscriber *s = (struct subscriber *)c;
    const struct jb_message message = {.wire = c->answer, .wire_size = c->answer_size};
    size_t at;
    struct chunk *chunk = s->is_blocked ? NULL : place(out, &message, NULL, &at);
    if (!chunk)
        return 0;
    int rc = append(out, s, chunk, at, message.wire_size);
    drop(out, chunk);
    return rc;
}

static void tell_gone(struct jb_outbound *out, const unsigned char *filter, size_t size) {
    struct gone *one = jb_malloc(sizeof *one + size);
    if (!one)
        return; /* its counts stay for somebody who does not come */
    one->next = out->gone;
    one->size = size;
    memcpy(one->filter, filter, size);
    out->gone = one;
}

static void ends(void *owner, struct jb_connection *c) {
    struct jb_outbound *out = owner;
    struct subscriber *s = (struct subscriber *)c;
    unsigned char filter[jb_filter_bytes_max];
    int size;
    while ((size = jb_routes_remove_last(out->routes, &s->seats, filter)) >= 0)
        if (jb_is_reserved(filter, (size_t)size))
            tell_gone(out, filter, (size_t)size);
    if (s->is_fresh) {
        struct subscriber **at = &out->fresh;
        while (*at != s)
            at = &(*at)->next_fresh;
        *at = s->next_fresh;
    }
    forget_ranges(out, s);
}

/* Takes in what one has said. Returns whether it did something with a reserved key. */
static int hear(struct jb_outbound *out, struct subscriber *s, struct jb_change *change) {
    const struct jb_message *m = &s->connection.message;
    if (m->refused)
        return 0;
    const unsigned char *said = m->wire + m->key;
    if (m->frame_count != 1 || m->key_size == 0 || said[0] > 1 ||
        m->key_size - 1 > jb_filter_bytes_max)
        return 0;
    change->subscribed = said[0];
    change->size = m->key_size - 1;
    memcpy(change->filter, said + 1, change->size);
    int is_new = change->subscribed
                     ? jb_routes_add(out->routes, &s->seats, change->filter, change->size)
                     : jb_routes_remove(out->routes, &s->seats, change->filter, change->size);
    if (is_new < 0) {
        jb_side_cut(out->side, &s->connection, jb_cut_memory);
    } else if (s->seats.count > out->options.filters_max ||
               s->seats.bytes > out->options.filter_bytes_max) {
        /* With the key that was one too many, if it is told of: that has been taken in. */
        jb_side_cut(out->side, &s->connection, jb_cut_filters);
    }
    return is_new > 0 && jb_is_reserved(change->filter, change->size);
}

int jb_outbound_timeout(const struct jb_outbound *out, int timeout_ms) {
    if (out->gone)
        return 0;
    if (out->relieving_ms > 0 && (timeout_ms < 0 || timeout_ms > relieve_look_ms))
        timeout_ms = relieve_look_ms;
    return jb_side_timeout(out->side, timeout_ms, 0);
}

int jb_outbound_next(struct jb_outbound *out, struct jb_change *change, int *left) {
    struct jb_connection *c;
    if (out->gone) {
        struct gone *one = out->gone;
        out->gone = one->next;
        change->subscribed = 0;
        change->size = one->size;
        memcpy(change->filter, one->filter, one->size);
        jb_free(one);
        return 1;
    }
    while ((*left)-- > 0 && (c = jb_side_next(out->side)))
        if (hear(out, (struct subscriber *)c, change))
            return 1;
    return 0;
}

/* Cuts off those that have taken nothing for too long. */
static void cut_frozen(struct jb_outbound *out, int64_t now) {
    for (struct jb_connection *c = jb_side_connections(out->side), *next; c; c = next) {
        struct subscriber *s = (struct subscriber *)c;
        next = c->behind;
        if (c->phase != jb_phase_open || s->waiting == 0 || now - s->moved_ms < frozen_ms)
            continue;
        /* It is asked once more: this process may have slept, too. */
        int moved = write_some(out, s);
        if (moved < 0)
            jb_side_end(out->side, c);
        else if (!moved)
            jb_side_cut(out->side, c, jb_cut_frozen);
    }
}

/* Whether all that waits for a subscriber is one large event, which it reads well. The
 * memory of that is free only when all of it has gone. */
static int is_in_one(const struct subscriber *s, int64_t now) {
    if (s->count != 1 || !range_at(s, 0)->chunk->is_own)
        return 0;
    const uint64_t gone = range_at(s, 0)->chunk->capacity - range_at(s, 0)->size;
    return gone >= (uint64_t)(now - s->first_ms) * well_bytes_per_ms;
}

/* Cuts off the one for whom most waits, of those for whom something has waited all the
 * time. Returns whether there is one. */
static int cut_slowest(struct jb_outbound *out, int64_t now) {
    struct subscriber *slowest = NULL;
    for (struct jb_connection *c = jb_side_connections(out->side); c; c = c->behind) {
        struct subscriber *s = (struct subscriber *)c;
        if (c->phase == jb_phase_open && s->waiting > (slowest ? slowest->waiting : 0) &&
            now - s->behind_ms >= slow_ms && !is_in_one(s, now))
            slowest = s;
    }
    if (slowest)
        jb_side_cut(out->side, &slowest->connection, jb_cut_slow);
    return slowest != NULL;
}

static int is_too_much(const struct jb_outbound *out) {
    return jb_outbound_waiting(out) > out->options.waiting_bytes_max;
}

void jb_outbound_relieve(struct jb_outbound *out) {
    if (!is_too_much(out)) {
        out->relieving_ms = 0;
        return;
    }
    const int64_t now = jb_now_ms();
    /* Of a time in which this process did not look, it knows nothing. */
    if (out->relieving_ms == 0 || now - out->relieved_ms > frozen_ms)
        out->relieving_ms = now;
    out->relieved_ms = now;
    cut_frozen(out, now);
    if (now - out->relieving_ms < slow_ms)
        return;
    while (is_too_much(out) && cut_slowest(out, now))
        ;
}
