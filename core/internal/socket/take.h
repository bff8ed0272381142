/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#ifndef JB_TAKE_H
#define JB_TAKE_H

#include "block.h"
#include "ready.h"

/* What a drain met besides events. */
struct jb_drained {
    size_t bytes;   /* keys and payloads of the events in the block */
    size_t unkeyed; /* events thrown away: over event_bytes_max without a usable key, or
                     * no memory for them */
    int more;       /* a limit was reached and events are left behind */
};

/* Takes what waits in a socket, up to the limits, without waiting; of an event over
 * event_bytes_max only the key, in a record marked as oversize. Sets or clears the
 * ready mark by the rule in ready.h. Returns 0 or a negative errno; *block is NULL if
 * there was nothing. */
int jb_take(void *socket, struct jb_ready *ready, size_t events_max, size_t bytes_max,
            size_t event_bytes_max, struct jb_block **block, struct jb_drained *drained);

/* Lets a SUB socket that nobody takes from do what libzmq leaves to its owner's
 * next call, and tells whether something waits; then it sets the ready mark, as that
 * may have consumed the edge of ZMQ_FD. */
int jb_tend_subscriber(void *socket, struct jb_ready *ready);

#endif
