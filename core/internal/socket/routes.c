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

#include "calls.h"
#include "memory.h"

/* A subscriber who has a filter. */
struct taker {
    struct jb_seats *owner;
    size_t at_owner; /* where the filter is among those of the subscriber */
};

struct jb_route {
    uint64_t hash;
    struct taker *takers;
    size_t count, capacity, size;
    unsigned char filter[];
};

/* The key of the last match, and its outcome: keys come in runs. */
enum { last_key_max = 64 };

struct jb_routes {
    /* With linear probing, at most half full. Most looks find nothing; for that they need
     * the tags only, which are a part of the hash, or 0 where nothing is. */
    uint32_t *tags;
    struct jb_route **routes;
    size_t place_count, route_count; /* the first is a power of two */
    /* How many filters have each length, and the greatest that any has had: of those that
     * are for events, and of the reserved ones, which no event's key begins with. */
    size_t lengths[2][jb_filter_bytes_max + 1];
    size_t length_max[2];
    uint64_t point; /* of the hash; secret */
    uint64_t matches;
    struct jb_seats **found; /* with room for all that have a filter */
    size_t found_count, found_capacity, owners;
    unsigned char last_key[last_key_max];
    size_t last_key_size;
    int last_is_valid;
};

enum { places_at_first = 128 };

/* A polynomial of the bytes modulo the prime 2^61 - 1, at a secret point: two filters of n
 * bytes that somebody has chosen share a hash for n points of all at most (Carter and
 * Wegman, Journal of Computer and System Sciences 18(2), 1979). A fixed function, such as
 * FNV whatever its start, has filters that always do, and a table full of those is a list. */
static const uint64_t prime = ((uint64_t)1 << 61) - 1;
__extension__ typedef unsigned __int128 product;

static uint64_t mix(const struct jb_routes *r, uint64_t hash, unsigned char byte) {
    product p = (product)hash * r->point + byte + 1;
    uint64_t sum = (uint64_t)(p & prime) + (uint64_t)(p >> 61);
    return sum >= prime ? sum - prime : sum;
}

static size_t home_of(const struct jb_routes *r, uint64_t hash) {
    return (size_t)(hash >> 24) & (r->place_count - 1);
}

static size_t after(const struct jb_routes *r, size_t at) {
    return (at + 1) & (r->place_count - 1);
}

struct jb_routes *jb_routes_new(void) {
    struct jb_routes *r = jb_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->tags = jb_calloc(places_at_first, sizeof *r->tags);
    r->routes = jb_calloc(places_at_first, sizeof *r->routes);
    r->place_count = places_at_first;
    if (!r->tags || !r->routes || getrandom(&r->point, sizeof r->point, 0) != sizeof r->point) {
        jb_routes_free(r);
        return NULL;
    }
    r->point %= prime;
    return r;
}

/* Its subscribers are gone, and with them all routes. */
void jb_routes_free(struct jb_routes *r) {
    if (!r)
        return;
    jb_free(r->tags);
    jb_free(r->routes);
    jb_free(r->found);
    jb_free(r);
}

static uint64_t hash_of(const struct jb_routes *r, const unsigned char *filter, size_t size) {
    uint64_t hash = 0;
    for (size_t i = 0; i < size; i++)
        hash = mix(r, hash, filter[i]);
    return hash;
}

static uint32_t tag_of(uint64_t hash) {
    return (uint32_t)hash | 1;
}

/* The place of a filter, or the empty one where it belongs. */
static size_t find(const struct jb_routes *r, uint64_t hash, const void *filter, size_t size) {
    for (size_t at = home_of(r, hash);; at = after(r, at)) {
        const uint32_t tag = r->tags[at];
        const struct jb_route *one = tag == tag_of(hash) ? r->routes[at] : NULL;
        if (tag == 0 || (one && one->hash == hash && one->size == size &&
                         memcmp(one->filter, filter, size) == 0))
            return at;
    }
}

static void put(struct jb_routes *r, size_t at, struct jb_route *one) {
    r->tags[at] = one ? tag_of(one->hash) : 0;
    r->routes[at] = one;
}

static int grow_places(struct jb_routes *r) {
    const size_t count = r->place_count;
    struct jb_route **old = r->routes;
    uint32_t *tags = jb_calloc(2 * count, sizeof *tags);
    struct jb_route **routes = jb_calloc(2 * count, sizeof *routes);
    if (!tags || !routes) {
        jb_free(tags);
        jb_free(routes);
        return -ENOMEM;
    }
    jb_free(r->tags);
    r->tags = tags;
    r->routes = routes;
    r->place_count = 2 * count;
    for (size_t i = 0; i < count; i++)
        if (old[i])
            put(r, find(r, old[i]->hash, old[i]->filter, old[i]->size), old[i]);
    jb_free(old);
    return 0;
}

static struct jb_route *add_route(struct jb_routes *r, uint64_t hash, const void *filter,
                                  size_t size) {
    if (2 * r->route_count >= r->place_count && grow_places(r) < 0)
        return NULL;
    struct jb_route *one = jb_calloc(1, sizeof *one + size);
    if (!one)
        return NULL;
    one->hash = hash;
    one->size = size;
    memcpy(one->filter, filter, size);
    put(r, find(r, hash, filter, size), one);
    const int kind = jb_is_reserved(one->filter, size);
    r->route_count++;
    r->lengths[kind][size]++;
    if (size > r->length_max[kind])
        r->length_max[kind] = size;
    return one;
}

/* Those behind it move up, so that no search ends too early. */
static void remove_route(struct jb_routes *r, struct jb_route *one) {
    const size_t mask = r->place_count - 1;
    size_t hole = find(r, one->hash, one->filter, one->size);
    for (size_t at = after(r, hole); r->routes[at]; at = after(r, at)) {
        const size_t home = home_of(r, r->routes[at]->hash);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            put(r, hole, r->routes[at]);
            hole = at;
        }
    }
    put(r, hole, NULL);
    r->route_count--;
    r->lengths[jb_is_reserved(one->filter, one->size)][one->size]--;
    jb_free(one->takers);
    jb_free(one);
}

/* Makes room for one more in an array. Returns it, or NULL. */
static void *room_for_one(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return array;
    const size_t more = *capacity ? 2 * *capacity : 4;
    void *new = jb_realloc(array, more * size);
    if (new)
        *capacity = more;
    return new;
}

/* Where a subscriber is among those who have a filter; count if it is not. */
static size_t index_of(const struct jb_route *one, const struct jb_seats *owner) {
    size_t i = 0;
    while (i < one->count && one->takers[i].owner != owner)
        i++;
    return i;
}

/* Makes room for another taker of a filter. */
static int make_room(struct jb_routes *r, struct jb_route *one, struct jb_seats *seats) {
    void *found = room_for_one(r->found, r->owners, &r->found_capacity, sizeof *r->found);
    if (!found)
        return -ENOMEM;
    r->found = found;
    void *takers = room_for_one(one->takers, one->count, &one->capacity, sizeof *one->takers);
    if (!takers)
        return -ENOMEM;
    one->takers = takers;
    void *more = room_for_one(seats->seats, seats->count, &seats->capacity, sizeof *seats->seats);
    if (!more)
        return -ENOMEM;
    seats->seats = more;
    return 0;
}

int jb_routes_add(struct jb_routes *r, struct jb_seats *seats, const void *filter, size_t size) {
    const uint64_t hash = hash_of(r, filter, size);
    struct jb_route *one = r->routes[find(r, hash, filter, size)];
    if (one && index_of(one, seats) < one->count)
        return 0;
    r->last_is_valid = 0;
    if (!one)
        one = add_route(r, hash, filter, size);
    if (!one || make_room(r, one, seats) < 0) {
        if (one && one->count == 0)
            remove_route(r, one);
        return -ENOMEM;
    }
    r->owners += seats->count == 0;
    one->takers[one->count] = (struct taker){seats, seats->count};
    seats->seats[seats->count++] = (struct jb_seat){one, one->count++};
    seats->bytes += size;
    return 1;
}

/* The last of each array takes the place of what is removed. */
static void remove_seat(struct jb_routes *r, struct jb_seats *seats, size_t at) {
    struct jb_route *one = seats->seats[at].route;
    const size_t at_route = seats->seats[at].at_route;
    r->last_is_valid = 0;
    one->takers[at_route] = one->takers[--one->count];
    if (at_route < one->count) {
        const struct taker *moved = &one->takers[at_route];
        moved->owner->seats[moved->at_owner].at_route = at_route;
    }
    seats->seats[at] = seats->seats[--seats->count];
    if (at < seats->count)
        seats->seats[at].route->takers[seats->seats[at].at_route].at_owner = at;
    seats->bytes -= one->size;
    r->owners -= seats->count == 0;
    if (one->count == 0)
        remove_route(r, one);
}

int jb_routes_remove(struct jb_routes *r, struct jb_seats *seats, const void *filter, size_t size) {
    const struct jb_route *one = r->routes[find(r, hash_of(r, filter, size), filter, size)];
    const size_t i = one ? index_of(one, seats) : 0;
    if (!one || i == one->count)
        return 0;
    remove_seat(r, seats, one->takers[i].at_owner);
    return 1;
}

int jb_routes_remove_last(struct jb_routes *r, struct jb_seats *seats, void *filter) {
    if (seats->count == 0) {
        jb_free(seats->seats);
        seats->seats = NULL;
        seats->capacity = 0;
        return -ENOENT;
    }
    const struct jb_route *one = seats->seats[seats->count - 1].route;
    const size_t size = one->size;
    memcpy(filter, one->filter, size);
    remove_seat(r, seats, seats->count - 1);
    return (int)size;
}

static void take(struct jb_routes *r, const struct jb_route *one) {
    for (size_t i = 0; i < one->count; i++) {
        struct jb_seats *owner = one->takers[i].owner;
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
    const int kind = jb_is_reserved(bytes, size);
    uint64_t hash = 0;
    r->matches++;
    r->found_count = 0;
    for (size_t length = 0; length <= size && length <= r->length_max[kind]; length++) {
        if (r->lengths[kind][length]) {
            const struct jb_route *one = r->routes[find(r, hash, key, length)];
            if (one)
                take(r, one);
        }
        if (length < size)
            hash = mix(r, hash, bytes[length]);
    }
    r->last_is_valid = size <= last_key_max;
    if (r->last_is_valid) {
        memcpy(r->last_key, key, size);
        r->last_key_size = size;
    }
    *found = r->found;
    return r->found_count;
}
