/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * From frames to events: each key is split into name and topic where its filter says,
 * and the payload's format is told. Next: the caller, or take.go for what is left.
 */
#include <string.h>

#include "plain.h"
#include "take.h"

/* The formats of package codec. */
enum format { other, cbor, json, unjudged };

static enum format format_of(const struct jb_record *r) {
    if (r->frame_count != 1 || r->payload_size == 0)
        return other;
    const unsigned char first = *(const unsigned char *)r->payload;
    if (first == '{')
        return json;
    if (first >> 5 != 5 && first != 0xd9) /* neither a map nor what may stand before it */
        return other;
    return jb_is_plain_cbor(r->payload, r->payload_size) ? cbor : unjudged;
}

void jb_sort(struct jb_subscriber *s, struct jb_block *block) {
    for (; block->sorted < block->count; block->sorted++) {
        struct jb_record *r = &block->records[block->sorted];
        if (r->reserved || !jb_is_plain_key(r->name, r->name_size))
            return;
        struct jb_filter *filter = jb_filters_find(&s->filters, r->name, r->name_size);
        const enum format format = filter ? format_of(r) : unjudged;
        if (format == unjudged)
            return;
        filter->came++;
        r->format = (int32_t)format;
        jb_split(r, filter->name_size);
        block->bytes += jb_record_bytes(r);
    }
}
