/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#ifndef JB_TAKE_H
#define JB_TAKE_H

#include "block.h"
#include "direct.h"
#include "end.h"
#include "filters.h"

/* Limits of one take: more would hold the lock, and the caller, for too long. */
enum { jb_take_events_max = 1024, jb_take_bytes_max = 1 << 20 };

/* A subscriber's end. */
struct jb_subscriber {
    struct jb_end end;
    struct jb_filters filters;
    size_t event_bytes_max;
    size_t block_size; /* of the latest block: the next is likely to need as much */
    uint64_t slow;     /* how often it has begun to drop events, for callers who log it */
    /* A batch that a caller in C has taken and that holds something for Go: it is the
     * oldest there is. */
    struct jb_block *kept;
    int error; /* what a caller in C has met, a negative errno, for Go to tell */
    /* What callers in C have taken since Go last looked. */
    uint64_t events, bytes, unkeyed;
    int emptied; /* nothing was left */
};

/* A new one, all but its socket; NULL without memory. */
struct jb_end *jb_subscriber_new(size_t event_bytes_max);

/* What a drain met besides events. */
struct jb_drained {
    size_t unkeyed; /* events thrown away: over event_bytes_max without a usable key, or
                     * no memory for them */
    int more;       /* a limit was reached and events are left behind */
};

/* Takes what waits, up to the limits, without waiting, and sorts it; of an event over
 * event_bytes_max only the key, in a record marked as oversize. Sets or clears the
 * ready mark by the rule in ready.h. Returns 0 or a negative errno; *block is NULL if
 * there was nothing. Under the lock. */
int jb_take(struct jb_subscriber *s, size_t events_max, struct jb_block **block,
            struct jb_drained *drained);

/* Splits the keys of a new block's events and judges their payloads, up to the first
 * event that is for Go: one that is not plain, or for nobody, or no event at all. */
void jb_sort(struct jb_subscriber *s, struct jb_block *block);

/* Lets a SUB socket that nobody takes from do what libzmq leaves to its owner's
 * next call, and tells whether something waits; then it sets the ready mark, as that
 * may have consumed the edge of ZMQ_FD. Under the lock. */
int jb_tend_subscriber(struct jb_end *end);

#endif
