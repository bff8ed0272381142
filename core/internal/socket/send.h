/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#ifndef JB_SEND_H
#define JB_SEND_H

#include <stddef.h>
#include <stdint.h>

#include "direct.h"
#include "end.h"
#include "waiting.h"

/* A publisher's end. */
struct jb_publisher {
    struct jb_end end;
    struct jb_waiting *waiting; /* of what has not gone to the network */
    uint64_t waiting_bytes_max;
    size_t event_bytes_max;
    int unchecked; /* payloads are not looked at */
    /* What callers in C have sent since Go last looked. */
    uint64_t events, bytes;
};

/* A new one, all but its socket and limits; NULL without memory. */
struct jb_end *jb_publisher_new(void);

/* One frame to send. An integer where a pointer would be: the array of these may
 * lie in Go memory, and what it points to is pinned meanwhile. */
struct jb_part {
    uintptr_t data; /* 0: it lies among the copies, behind those before it */
    size_t size;
    int last; /* of its event */
};

/* Sends events without waiting, all frames of one or none of them. Returns 0, or
 * a negative errno (-EAGAIN: no room); *sent counts the events that went out. */
int jb_send(void *socket, struct jb_waiting *waiting, const struct jb_part *parts, size_t count,
            const void *copies, size_t *sent);

/* The same for one event of a key and one payload. */
int jb_send_one(void *socket, struct jb_waiting *waiting, const void *key, size_t key_size,
                const void *payload, size_t payload_size);

#endif
