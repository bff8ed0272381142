/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#ifndef JB_FORWARD_H
#define JB_FORWARD_H

#include <stddef.h>
#include <stdint.h>

/* What one key had in one batch. */
struct jb_tally {
    uint32_t key_offset; /* into keys */
    uint32_t key_size;
    uint64_t bytes;
    uint64_t events;
};

/* What a batch did. keys and tallies are the caller's, with these capacities. */
struct jb_forwarded {
    char *keys;
    size_t keys_size, keys_capacity;
    struct jb_tally *tallies;
    size_t tally_count, tally_capacity;
    uint64_t events, bytes, dropped, refused;
};

struct jb_forwarder {
    void *publishers;  /* XSUB */
    void *subscribers; /* XPUB with ZMQ_XPUB_NODROP */
    int publishers_fd, subscribers_fd, wake_fd;
    size_t event_bytes_max;
};

/* Waits up to timeout_ms for something to do, then forwards what waits, up to
 * the capacities. With `hold`, leaves the publishers' events where they are.
 * Returns 0, or a negative errno. */
int jb_forward(const struct jb_forwarder *f, int timeout_ms, int hold, struct jb_forwarded *done);

#endif
