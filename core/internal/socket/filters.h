/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What a subscriber has subscribed to, for the look that each event costs: the
 * disjoint filters of package key, which decides what those are.
 */
#ifndef JB_FILTERS_H
#define JB_FILTERS_H

#include <stddef.h>
#include <stdint.h>

struct jb_filter {
    struct jb_filter *next; /* in its bucket */
    uint64_t came;          /* events under it that were sorted in C */
    size_t name_size;
    uint32_t hash;
    uint32_t key_size;
    char key[]; /* with its final dot */
};

/* All zero: empty. */
struct jb_filters {
    struct jb_filter **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
};

/* Adds a filter that is not there yet; NULL without memory. It stays where it is. */
struct jb_filter *jb_filters_add(struct jb_filters *filters, const void *key, size_t key_size,
                                 size_t name_size);

/* Removes a filter and frees it. */
void jb_filters_remove(struct jb_filters *filters, struct jb_filter *filter);

/* The filter that a key is under, or NULL. */
struct jb_filter *jb_filters_find(const struct jb_filters *filters, const void *key,
                                  size_t key_size);

void jb_filters_clear(struct jb_filters *filters);

#endif
