/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The block: one malloc'd piece of memory that holds a batch of events from the
 * drain to the binding. It begins with a jb_block; behind it lie the frames'
 * bytes, then the tables. Whoever holds it frees it with free().
 *
 * jb_record is laid out as juicebus_event in juicebus.h; capi asserts that when
 * it is compiled.
 */
#ifndef JB_BLOCK_H
#define JB_BLOCK_H

#include <stddef.h>
#include <stdint.h>

struct jb_frame {
    const void *data;
    size_t size;
};

struct jb_record {
    char *name; /* from the drain: the key; the subscriber splits it in place */
    char *topic;
    const void *payload;
    size_t payload_size;
    const struct jb_frame *frames;
    size_t frame_count;
    size_t name_size; /* from the drain: the key's size */
    size_t topic_size;
    size_t size; /* of key and payload */
    int32_t format;
    /* To be published: 1 if the payload is sent as it is. From the drain: 1 if the event was
     * too large and this is its key; then, until it is handed out, 1 if its CBOR is plain
     * and MessagePack is wanted. */
    int32_t flag;
    void *owner;
};

struct jb_block {
    size_t size; /* bytes of the whole block */
    size_t count;
    struct jb_record *records;
    /* From the drain: of how many records, in front, the key has been split and the
     * payload judged, and the bytes of those events. */
    size_t sorted;
    uint64_t bytes;
};

static inline size_t jb_aligned(size_t size) {
    return (size + 15u) & ~(size_t)15u;
}

/* The room that a frame has in a block: a NUL may follow it. */
static inline size_t jb_room(size_t frame_size) {
    return jb_aligned(frame_size + 1);
}

/* A new block with some events of another, whose keys have been split. Returns NULL
 * without memory. */
struct jb_block *jb_block_copy(const struct jb_block *from, size_t first, size_t count);

/* Splits an event's key in place into two C strings: the dot behind the name and the
 * final one become NUL. A key without a topic has only one dot; its topic is the empty
 * string at that NUL. Notes the event's size. */
void jb_split(struct jb_record *record, size_t name_size);

/* What some events of a block come to, after jb_split: their keys and payloads, and the
 * memory that they would take in a block of their own. */
struct jb_sizes {
    size_t bytes, cost;
};
struct jb_sizes jb_block_sizes(const struct jb_block *block, size_t first, size_t count);

#endif
