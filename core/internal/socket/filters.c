/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A hash table that is asked for each dotted prefix of a key; one walk along the key
 * hashes all of them (FNV-1a, draft-eastlake-fnv).
 */
#include "filters.h"

#include <string.h>

#include "memory.h"

enum { first_bucket_count = 16 };

static const uint32_t hash_start = 2166136261u, hash_prime = 16777619u;

static uint32_t hash_on(uint32_t hash, char c) {
    return (hash ^ (unsigned char)c) * hash_prime;
}

static struct jb_filter **bucket(const struct jb_filters *filters, uint32_t hash) {
    return &filters->buckets[hash & (filters->bucket_count - 1)];
}

/* Doubles the buckets, or makes the first. */
static int grow(struct jb_filters *filters) {
    struct jb_filters larger = *filters;
    larger.bucket_count = filters->bucket_count ? filters->bucket_count * 2 : first_bucket_count;
    larger.buckets = jb_calloc(larger.bucket_count, sizeof *larger.buckets);
    if (!larger.buckets)
        return 0;
    for (size_t i = 0; i < filters->bucket_count; i++)
        for (struct jb_filter *one = filters->buckets[i], *next; one; one = next) {
            struct jb_filter **to = bucket(&larger, one->hash);
            next = one->next;
            one->next = *to;
            *to = one;
        }
    jb_free(filters->buckets);
    *filters = larger;
    return 1;
}

struct jb_filter *jb_filters_add(struct jb_filters *filters, const void *key, size_t key_size,
                                 size_t name_size) {
    if (filters->count == filters->bucket_count && !grow(filters))
        return NULL;
    struct jb_filter *one = jb_malloc(sizeof *one + key_size);
    if (!one)
        return NULL;
    one->came = 0;
    one->name_size = name_size;
    one->key_size = (uint32_t)key_size;
    memcpy(one->key, key, key_size);
    one->hash = hash_start;
    for (size_t i = 0; i < key_size; i++)
        one->hash = hash_on(one->hash, one->key[i]);
    struct jb_filter **first = bucket(filters, one->hash);
    one->next = *first;
    *first = one;
    filters->count++;
    return one;
}

void jb_filters_remove(struct jb_filters *filters, struct jb_filter *filter) {
    struct jb_filter **at = bucket(filters, filter->hash);
    while (*at != filter)
        at = &(*at)->next;
    *at = filter->next;
    filters->count--;
    jb_free(filter);
}

struct jb_filter *jb_filters_find(const struct jb_filters *filters, const void *key,
                                  size_t key_size) {
    if (filters->count == 0)
        return NULL;
    const char *data = key;
    uint32_t hash = hash_start;
    for (size_t i = 0; i < key_size; i++) {
        hash = hash_on(hash, data[i]);
        if (data[i] != '.')
            continue;
        for (struct jb_filter *one = *bucket(filters, hash); one; one = one->next)
            if (one->hash == hash && one->key_size == i + 1 && memcmp(one->key, data, i + 1) == 0)
                return one;
    }
    return NULL;
}

void jb_filters_clear(struct jb_filters *filters) {
    for (size_t i = 0; i < filters->bucket_count; i++)
        for (struct jb_filter *one = filters->buckets[i], *next; one; one = next) {
            next = one->next;
            jb_free(one);
        }
    jb_free(filters->buckets);
    *filters = (struct jb_filters){0};
}
