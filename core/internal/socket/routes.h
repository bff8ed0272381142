/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Who has subscribed to what: from a key to the subscribers with a filter that it begins
 * with. A key costs a look for each length that a filter has, however many filters there
 * are. Comes from outbound.c.
 */
#ifndef JB_ROUTES_H
#define JB_ROUTES_H

#include <stddef.h>
#include <stdint.h>

enum { jb_filter_bytes_max = 2048 };

struct jb_route; /* a filter, and who has it */

struct jb_seat {
    struct jb_route *route;
    size_t at_route; /* where the subscriber is among those who have it */
};

/* What a subscriber has: zero to begin with. */
struct jb_seats {
    struct jb_seat *seats;
    size_t count, capacity;
    uint64_t bytes;   /* of its filters */
    uint64_t matched; /* when it was last found, for jb_routes_match */
};

struct jb_routes;
struct jb_routes *jb_routes_new(void);
void jb_routes_free(struct jb_routes *routes);

/* Notes a filter of up to jb_filter_bytes_max, which another one may have too. Returns
 * whether it is new to this one; -ENOMEM. */
int jb_routes_add(struct jb_routes *routes, struct jb_seats *seats, const void *filter,
                  size_t size);

/* Gives a filter up. Returns whether it was there. */
int jb_routes_remove(struct jb_routes *routes, struct jb_seats *seats, const void *filter,
                     size_t size);

/* Gives up the last of a subscriber's filters, and copies it to `filter`; returns its
 * size, or -ENOENT: there are none, and seats takes no memory any more. */
int jb_routes_remove_last(struct jb_routes *routes, struct jb_seats *seats, void *filter);

/* Has events counted that come under a filter, one that ends with a dot, from now on,
 * whether or not somebody has it. NULL without memory. Watches of one filter share its
 * count. */
struct jb_route *jb_routes_watch(struct jb_routes *routes, const void *filter, size_t size);
void jb_routes_unwatch(struct jb_routes *routes, struct jb_route *route);

/* How many events have come under a watched filter, from a start that is not known. */
uint64_t jb_route_events(const struct jb_route *route);

/* Finds the subscribers to a key, each once. Returns how many; the array is valid until
 * a filter is added, or the next match. */
size_t jb_routes_match(struct jb_routes *routes, const void *key, size_t size,
                       struct jb_seats ***found);

/* Counts an event under the filters of the last match. */
void jb_routes_count(struct jb_routes *routes);

#endif
