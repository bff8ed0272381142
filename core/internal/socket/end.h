/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * An end of the bus: the socket of a publisher or a subscriber, as callers in C and Go
 * share it. Go does everything with it; callers in C may do the usual things past Go,
 * which sees what they did when it next takes the lock. To enter Go costs a process
 * that is mostly idle more than the rest of an event: Go's monitor thread wakes up for
 * each time (golang/go#18236).
 */
#ifndef JB_END_H
#define JB_END_H

#include "lock.h"
#include "ready.h"

struct jb_end {
    struct jb_lock lock; /* of all below but holders, and of the socket */
    int holders;
    int direct;  /* callers in C may use the socket; set by Go when it lets go of the lock */
    int msgpack; /* callers in C write and read MessagePack in the place of CBOR */
    void *socket;
    struct jb_ready ready;
    void (*free_rest)(struct jb_end *end); /* what else this end has; NULL: nothing */
};

/* Lets Go see to everything from now on, in all ends: it has panicked. Returns whether
 * that was so before. */
int jb_end_poison(void);

/* Whether a caller in C may use the socket. Under the lock. */
int jb_end_is_direct(const struct jb_end *end);

#endif
