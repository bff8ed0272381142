/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A hash table of filters. Each byte of a key goes into its hash once.
 */
#define _GNU_SOURCE
#include "routes.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "memory.h"

/* One filter, and who has it. */
struct route {
    struct route *next; /* of the same bucket */
    uint64_t hash;
    struct jb_seat **seats;
    size_t count, capacity, size;
    unsigned char filter[];
};

struct jb_seat {
    struct route *route;
    struct jb_seats *owner;
    size_t at_route, at_owner; /* where it is in their arrays */
};

/* The key of the last match, and its outcome: keys come in runs. */
enum { last_key_max = 64 };

struct jb_routes {
    struct route **buckets;
    size_t bucket_count, route_count;        /* the first is a power of two */
    size_t lengths[jb_filter_bytes_max + 1]; /* how many filters have each */
    size_t length_max;                       /* that any has had */
    uint64_t secret;                         /* so that nobody can choose who shares a bucket */
    uint64_t matches;
    struct jb_seats **found; /* with room for all that have a filter */
    size_t found_count, found_capacity, owners;
    unsigned char last_key[last_key_max];
    size_t last_key_size;
    int last_is_valid;
};

enum { buckets_at_first = 64 };

/* FNV-1a (draft-eastlake-fnv), from a secret start. */
static uint64_t mix(uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * 0x100000001b3;
}

static size_t bucket_of(const struct jb_routes *r, uint64_t hash) {
    hash *= r->secret | 1;
    return (size_t)(hash >> 32) & (r->bucket_count - 1);
}

struct jb_routes *jb_routes_new(void) {
    struct jb_routes *r = jb_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->buckets = jb_calloc(buckets_at_first, sizeof *r->buckets);
    r->bucket_count = buckets_at_first;
    if (!r->buckets || getrandom(&r->secret, sizeof r->secret, 0) != sizeof r->secret) {
        jb_free(r->buckets);
        jb_free(r);
        return NULL;
    }
    return r;
}

/* Its subscribers are gone, and with them all routes. */
void jb_routes_free(struct jb_routes *r) {
    if (!r)
        return;
    jb_free(r->buckets);
    jb_free(r->found);
    jb_free(r);
}

static uint64_t hash_of(const struct jb_routes *r, const unsigned char *filter, size_t size) {
    uint64_t hash = r->secret;
    for (size_t i = 0; i < size; i++)
        hash = mix(hash, filter[i]);
    return hash;
}

static struct route *find(const struct jb_routes *r, uint64_t hash, const void *filter,
                          size_t size) {
    struct route *one = r->buckets[bucket_of(r, hash)];
    while (one &&
           (one->hash != hash || one->size != size || memcmp(one->filter, filter, size) != 0))
        one = one->next;
    return one;
}

/* Without memory it stays as it is, and only slower. */
static void grow_buckets(struct jb_routes *r) {
    const size_t count = r->bucket_count;
    struct route **old = r->buckets;
    struct route **buckets = jb_calloc(2 * count, sizeof *buckets);
    if (!buckets)
        return;
    r->buckets = buckets;
    r->bucket_count = 2 * count;
    for (size_t i = 0; i < count; i++)
        for (struct route *one = old[i], *next; one; one = next) {
            next = one->next;
            struct route **bucket = &buckets[bucket_of(r, one->hash)];
            one->next = *bucket;
            *bucket = one;
        }
    jb_free(old);
}

static struct route *add_route(struct jb_routes *r, uint64_t hash, const void *filter,
                               size_t size) {
    struct route *one = jb_calloc(1, sizeof *one + size);
    if (!one)
        return NULL;
    if (r->route_count >= r->bucket_count)
        grow_buckets(r);
    struct route **bucket = &r->buckets[bucket_of(r, hash)];
    one->hash = hash;
    one->size = size;
    memcpy(one->filter, filter, size);
    one->next = *bucket;
    *bucket = one;
    r->route_count++;
    r->lengths[size]++;
    if (size > r->length_max)
        r->length_max = size;
    return one;
}

static void remove_route(struct jb_routes *r, struct route *one) {
    struct route **at = &r->buckets[bucket_of(r, one->hash)];
    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    r->route_count--;
    r->lengths[one->size]--;
    jb_free(one->seats);
    jb_free(one);
}

/* Makes room for one more in an array of pointers. */
static int room_for_one(void *array, size_t count, size_t *capacity) {
    void **old;
    memcpy(&old, array, sizeof old);
    if (count < *capacity)
        return 0;
    const size_t more = *capacity ? 2 * *capacity : 4;
    void **new = jb_realloc(old, more * sizeof *new);
    if (!new)
        return -ENOMEM;
    memcpy(array, &new, sizeof new);
    *capacity = more;
    return 0;
}

static struct jb_seat *seat_at(const struct route *one, const struct jb_seats *owner) {
    for (size_t i = 0; one && i < one->count; i++)
        if (one->seats[i]->owner == owner)
            return one->seats[i];
    return NULL;
}

int jb_routes_add(struct jb_routes *r, struct jb_seats *seats, const void *filter, size_t size) {
    const uint64_t hash = hash_of(r, filter, size);
    struct route *one = find(r, hash, filter, size);
    if (seat_at(one, seats))
        return 0;
    r->last_is_valid = 0;
    if (!one)
        one = add_route(r, hash, filter, size);
    struct jb_seat *seat = one ? jb_malloc(sizeof *seat) : NULL;
    if (!seat || room_for_one(&r->found, r->owners, &r->found_capacity) < 0 ||
        room_for_one(&one->seats, one->count, &one->capacity) < 0 ||
        room_for_one(&seats->seats, seats->count, &seats->capacity) < 0) {
        jb_free(seat);
        if (one && one->count == 0)
            remove_route(r, one);
        return -ENOMEM;
    }
    r->owners += seats->count == 0;
    *seat = (struct jb_seat){one, seats, one->count, seats->count};
    one->seats[one->count++] = seat;
    seats->seats[seats->count++] = seat;
    seats->bytes += size;
    return 1;
}

static void remove_seat(struct jb_routes *r, struct jb_seat *seat) {
    struct route *one = seat->route;
    struct jb_seats *owner = seat->owner;
    r->last_is_valid = 0;
    one->seats[seat->at_route] = one->seats[--one->count];
    one->seats[seat->at_route]->at_route = seat->at_route;
    owner->seats[seat->at_owner] = owner->seats[--owner->count];
    owner->seats[seat->at_owner]->at_owner = seat->at_owner;
    owner->bytes -= one->size;
    r->owners -= owner->count == 0;
    if (one->count == 0)
        remove_route(r, one);
    jb_free(seat);
}

int jb_routes_remove(struct jb_routes *r, struct jb_seats *seats, const void *filter, size_t size) {
    struct jb_seat *seat = seat_at(find(r, hash_of(r, filter, size), filter, size), seats);
    if (seat)
        remove_seat(r, seat);
    return seat != NULL;
}

int jb_routes_remove_last(struct jb_routes *r, struct jb_seats *seats, void *filter) {
    if (seats->count == 0) {
        jb_free(seats->seats);
        seats->seats = NULL;
        seats->capacity = 0;
        return -ENOENT;
    }
    struct jb_seat *seat = seats->seats[seats->count - 1];
    const size_t size = seat->route->size;
    memcpy(filter, seat->route->filter, size);
    remove_seat(r, seat);
    return (int)size;
}

static void take(struct jb_routes *r, const struct route *one) {
    for (size_t i = 0; i < one->count; i++) {
        struct jb_seats *owner = one->seats[i]->owner;
        if (owner->matched != r->matches)
            r->found[r->found_count++] = owner;
        owner->matched = r->matches;
    }
}

size_t jb_routes_match(struct jb_routes *r, const void *key, size_t size,
                       struct jb_seats ***found) {
    if (r->last_is_valid && size == r->last_key_size && memcmp(key, r->last_key, size) == 0) {
        *found = r->found;
        return r->found_count;
    }
    const unsigned char *bytes = key;
    uint64_t hash = r->secret;
    r->matches++;
    r->found_count = 0;
    for (size_t length = 0; length <= size && length <= r->length_max; length++) {
        const struct route *one = r->lengths[length] ? find(r, hash, key, length) : NULL;
        if (one)
            take(r, one);
        if (length < size)
            hash = mix(hash, bytes[length]);
    }
    r->last_is_valid = size <= last_key_max;
    if (r->last_is_valid) {
        memcpy(r->last_key, key, size);
        r->last_key_size = size;
    }
    *found = r->found;
    return r->found_count;
}
