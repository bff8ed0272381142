/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The subscribers' side of the proxy: who has subscribed to what, and what waits for
 * whom. Nothing is dropped: a connection delivers all that its subscriber has asked for,
 * in order, or ends. What waits is counted in bytes of memory, and who lets too much wait
 * is cut off.
 *
 * Comes from forward.c; not for several threads at once.
 */
#ifndef JB_OUTBOUND_H
#define JB_OUTBOUND_H

#include "routes.h"
#include "side.h"

struct jb_outbound_options {
    struct jb_side_options side;          /* but for what is outbound's */
    size_t filters_max, filter_bytes_max; /* of one subscriber */
    uint64_t waiting_bytes_max;           /* for all subscribers */
};

struct jb_outbound;

/* As jb_side_new. */
struct jb_outbound *jb_outbound_new(int listening, const struct jb_outbound_options *options);
void jb_outbound_free(struct jb_outbound *out);

/* Its side, to wait for and to tend. */
struct jb_side *jb_outbound_side(const struct jb_outbound *out);

/* As jb_side_timeout. */
int jb_outbound_timeout(const struct jb_outbound *out, int timeout_ms);

/* What a subscriber did with a reserved key. */
struct jb_change {
    int subscribed; /* else unsubscribed, or gone */
    size_t size;
    unsigned char filter[jb_filter_bytes_max];
};

/* Takes in what subscribers say in this round, up to `left` messages, which it counts
 * down, or the next that does something with a reserved key; returns whether one does. */
int jb_outbound_next(struct jb_outbound *out, struct jb_change *change, int *left);

/* Puts a message to the end of what waits for each subscriber that has asked for it.
 * `owned` is its memory, which is taken, or NULL: the bytes are copied. Returns 0;
 * -ENOMEM: nobody gets it. A single one for whom there is no memory is cut off, and so
 * knows that it misses something. */
int jb_outbound_send(struct jb_outbound *out, const struct jb_message *message,
                     unsigned char *owned);

/* The same with a message of the proxy's own, whose key lies at `key`. */
void jb_outbound_tell(struct jb_outbound *out, const void *wire, size_t wire_size, size_t key,
                      size_t key_size);

/* As jb_routes_watch and jb_routes_unwatch, of what is sent. */
struct jb_route *jb_outbound_watch(struct jb_outbound *out, const void *filter, size_t size);
void jb_outbound_unwatch(struct jb_outbound *out, struct jb_route *route);

/* Writes what can be written at once. */
void jb_outbound_flush(struct jb_outbound *out);

/* Bytes of memory that wait. */
uint64_t jb_outbound_waiting(const struct jb_outbound *out);

/* While too much waits, cuts off who has taken nothing for a while, or else, after some
 * time, for whom most waits. To be called again and again. */
void jb_outbound_relieve(struct jb_outbound *out);

#endif
