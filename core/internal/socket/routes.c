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
    uint64_t events;
    struct taker *takers;
    struct taker few[1]; /* takers, until there are more: one look into memory less */
    size_t count, capacity;
    uint32_t size;
    uint32_t watchers;
    unsigned char filter[];
};

/* The key of the last match, whose outcome stays: keys come in runs. */
enum { last_key_max = 64 };

/* How many filters there are of a length, and how many of them somebody has. */
struct length {
    uint32_t routes, taken;
};

/* Most looks find nothing; for that they need the tag only, which is a part of the hash, or
 * 0 where nothing is. */
struct place {
    uint32_t tag;
    struct jb_route *route;
};

struct jb_routes {
    struct place *places;            /* with linear probing, at most half full */
    size_t place_count, route_count; /* the first is a power of two */
    /* By their lengths, and the greatest length that there is: those for events, and the
     * reserved ones, which no event's key begins with. */
    struct length lengths[2][jb_filter_bytes_max + 1];
    size_t length_max[2];
    uint64_t point; /* of the hash; secret */
    uint64_t matches;
    struct jb_seats **found; /* with room for all that have a filter */
    size_t found_count, found_capacity, owners;
    struct jb_route *matched[jb_filter_bytes_max + 1];
    size_t matched_count;
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
    r->places = jb_calloc(places_at_first, sizeof *r->places);
    r->place_count = places_at_first;
    if (!r->places || getrandom(&r->point, sizeof r->point, 0) != sizeof r->point) {
        jb_routes_free(r);
        return NULL;
    }
    r->point %= prime;
    return r;
}

static void begin_takers(struct jb_route *one) {
    one->takers = one->few;
    one->capacity = sizeof one->few / sizeof *one->few;
}

static void free_takers(struct jb_route *one) {
    if (one->takers != one->few)
        jb_free(one->takers);
    begin_takers(one);
}

static void free_route(struct jb_route *one) {
    free_takers(one);
    jb_free(one);
}

/* Its subscribers are gone; the routes that are left are watched. */
void jb_routes_free(struct jb_routes *r) {
    if (!r)
        return;
    for (size_t i = 0; r->places && i < r->place_count; i++)
        if (r->places[i].route)
            free_route(r->places[i].route);
    jb_free(r->places);
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
        const struct place *place = &r->places[at];
        const struct jb_route *one = place->tag == tag_of(hash) ? place->route : NULL;
        if (place->tag == 0 || (one && one->hash == hash && one->size == size &&
                                memcmp(one->filter, filter, size) == 0))
            return at;
    }
}

static void put(struct jb_routes *r, size_t at, struct jb_route *one) {
    r->places[at] = (struct place){one ? tag_of(one->hash) : 0, one};
}

static int grow_places(struct jb_routes *r) {
    const size_t count = r->place_count;
    struct place *old = r->places;
    struct place *places = jb_calloc(2 * count, sizeof *places);
    if (!places)
        return -ENOMEM;
    r->places = places;
    r->place_count = 2 * count;
    for (size_t i = 0; i < count; i++) {
        struct jb_route *one = old[i].route;
        if (one)
            put(r, find(r, one->hash, one->filter, one->size), one);
    }
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
    one->size = (uint32_t)size;
    begin_takers(one);
    memcpy(one->filter, filter, size);
    put(r, find(r, hash, filter, size), one);
    r->last_is_valid = 0;
    const int kind = jb_is_reserved(one->filter, size);
    r->route_count++;
    r->lengths[kind][size].routes++;
    if (size > r->length_max[kind])
        r->length_max[kind] = size;
    return one;
}

/* Removes a filter that is of no use to anybody any more. Those behind it move up, so that
 * no search ends too early. */
static void remove_if_unused(struct jb_routes *r, struct jb_route *one) {
    if (one->count > 0 || one->watchers > 0)
        return;
    const size_t mask = r->place_count - 1;
    size_t hole = find(r, one->hash, one->filter, one->size);
    for (size_t at = after(r, hole); r->places[at].route; at = after(r, at)) {
        const size_t home = home_of(r, r->places[at].route->hash);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            put(r, hole, r->places[at].route);
            hole = at;
        }
    }
    put(r, hole, NULL);
    r->route_count--;
    const int kind = jb_is_reserved(one->filter, one->size);
    r->lengths[kind][one->size].routes--;
    while (r->length_max[kind] > 0 && r->lengths[kind][r->length_max[kind]].routes == 0)
        r->length_max[kind]--;
    r->last_is_valid = 0;
    free_route(one);
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

static int grow_takers(struct jb_route *one) {
    const size_t more = 2 * one->capacity;
    struct taker *old = one->takers == one->few ? NULL : one->takers;
    struct taker *takers = jb_realloc(old, more * sizeof *takers);
    if (!takers)
        return -ENOMEM;
    if (!old)
        memcpy(takers, one->few, sizeof one->few);
    one->takers = takers;
    one->capacity = more;
    return 0;
}

/* Makes room for another taker of a filter. */
static int make_room(struct jb_routes *r, struct jb_route *one, struct jb_seats *seats) {
    void *found = room_for_one(r->found, r->owners, &r->found_capacity, sizeof *r->found);
    if (!found)
        return -ENOMEM;
    r->found = found;
    if (one->count == one->capacity && grow_takers(one) < 0)
        return -ENOMEM;
    void *more = room_for_one(seats->seats, seats->count, &seats->capacity, sizeof *seats->seats);
    if (!more)
        return -ENOMEM;
    seats->seats = more;
    return 0;
}

/* The filter's route, a new one if there is none; NULL without memory. */
static struct jb_route *route_of(struct jb_routes *r, const void *filter, size_t size) {
    const uint64_t hash = hash_of(r, filter, size);
    struct jb_route *one = r->places[find(r, hash, filter, size)].route;
    return one ? one : add_route(r, hash, filter, size);
}

struct jb_route *jb_routes_watch(struct jb_routes *r, const void *filter, size_t size) {
    struct jb_route *one = route_of(r, filter, size);
    if (one)
        one->watchers++;
    return one;
}

void jb_routes_unwatch(struct jb_routes *r, struct jb_route *one) {
    one->watchers--;
    remove_if_unused(r, one);
}

/* The counts of its length. */
static struct length *length_of(struct jb_routes *r, const struct jb_route *one) {
    return &r->lengths[jb_is_reserved(one->filter, one->size)][one->size];
}

uint64_t jb_route_events(const struct jb_route *one) {
    return one->events;
}

int jb_routes_add(struct jb_routes *r, struct jb_seats *seats, const void *filter, size_t size) {
    struct jb_route *one = route_of(r, filter, size);
    if (!one)
        return -ENOMEM;
    if (index_of(one, seats) < one->count)
        return 0;
    if (make_room(r, one, seats) < 0) {
        remove_if_unused(r, one);
        return -ENOMEM;
    }
    r->last_is_valid = 0;
    r->owners += seats->count == 0;
    if (one->count == 0)
        length_of(r, one)->taken++;
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
    if (one->count == 0) {
        length_of(r, one)->taken--;
        free_takers(one);
    }
    remove_if_unused(r, one);
}

int jb_routes_remove(struct jb_routes *r, struct jb_seats *seats, const void *filter, size_t size) {
    const struct jb_route *one = r->places[find(r, hash_of(r, filter, size), filter, size)].route;
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

static void take(struct jb_routes *r, struct jb_route *one) {
    r->matched[r->matched_count++] = one;
    for (size_t i = 0; i < one->count; i++) {
        struct jb_seats *owner = one->takers[i].owner;
        if (owner->matched != r->matches)
            r->found[r->found_count++] = owner;
        owner->matched = r->matches;
    }
}

/* Whether a filter of so many of the key's first bytes is worth a look. One that is only
 * watched ends with a dot; what a peer that has gone had watched costs no look elsewhere. */
static int may_match(const struct length *of_kind, const unsigned char *key, size_t length) {
    const struct length *one = &of_kind[length];
    return one->taken || (one->routes && length > 0 && key[length - 1] == '.');
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
    r->found_count = r->matched_count = 0;
    for (size_t length = 0; length <= size && length <= r->length_max[kind]; length++) {
        if (may_match(r->lengths[kind], bytes, length)) {
            struct jb_route *one = r->places[find(r, hash, key, length)].route;
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

void jb_routes_count(struct jb_routes *r) {
    for (size_t i = 0; i < r->matched_count; i++)
        r->matched[i]->events++;
}
