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
    int32_t format;
    int32_t reserved; /* from the drain: 1 if the event was too large and this is its key */
    void *owner;
};

struct jb_block {
    size_t size; /* bytes of the whole block */
    size_t count;
    struct jb_record *records;
};

/* A new block with some events of another, whose keys have been split. Returns NULL
 * without memory. */
struct jb_block *jb_block_copy(const struct jb_block *from, size_t first, size_t count);

/* The memory that one event costs in a block. */
size_t jb_record_cost(const struct jb_record *record);

#endif
