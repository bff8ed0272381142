/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#ifndef JB_FORWARD_H
#define JB_FORWARD_H

#include <stddef.h>
#include <stdint.h>

#include "outbound.h"

/* What one key had in one batch. */
struct jb_tally {
    uint32_t key_offset; /* into keys */
    uint32_t key_size;
    uint64_t bytes;
    uint64_t events;
};

/* What peers said besides events. */
enum jb_heard_kind { jb_unsubscribed, jb_subscribed, jb_flush };

struct jb_heard {
    int32_t kind;
    uint32_t size;   /* of the filter, or of the flush's key and number */
    uint32_t offset; /* into keys */
};

/* What a batch did. The buffers are the caller's, with these capacities. */
struct jb_forwarded {
    char *keys;
    size_t keys_size, keys_capacity;
    struct jb_tally *tallies;
    size_t tally_count, tally_capacity;
    struct jb_heard *heard;
    size_t heard_count, heard_capacity;
    uint64_t events, bytes, refused;
};

struct jb_forwarder {
    struct jb_side *publishers;
    struct jb_outbound *subscribers;
    int wake_fd;
    uint64_t paced_bytes; /* while more waits for subscribers, publishers wait for them */
    uint64_t waited;      /* before the last batch */
    int64_t paced_until_ms;
};

/* Waits up to timeout_ms for something to do, then reads subscriptions and forwards
 * what waits, up to the capacities. With `hold`, leaves the publishers' events where
 * they are. Returns 0, or a negative errno. */
int jb_forward(struct jb_forwarder *f, int timeout_ms, int hold, struct jb_forwarded *done);

#endif
