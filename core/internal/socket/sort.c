/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * From frames to events: each key is split into name and topic where its filter says,
 * and the payload's format is told. Next: the caller, or take.go for what is left.
 */
#include <string.h>

#include "direct.h"
#include "msgpack.h"
#include "plain.h"
#include "take.h"

/* The formats of package codec, and what Go does not know. */
enum format { other, cbor, json, msgpack, unjudged };

enum { msgpack_size_max = 4096 };

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
        if (r->flag || !jb_is_plain_key(r->name, r->name_size))
            return;
        struct jb_filter *filter = jb_filters_find(&s->filters, r->name, r->name_size);
        const enum format format = filter ? format_of(r) : unjudged;
        if (format == unjudged)
            return;
        filter->came++;
        r->format = (int32_t)format;
        jb_split(r, filter->name_size);
        block->bytes += r->size;
        r->flag = s->end.msgpack && format == cbor;
    }
}

/* MessagePack is mostly as short as CBOR; where it does not fit into the same room, or is
 * too long to be worth it, CBOR stays. */
static void to_msgpack(struct jb_record *r) {
    unsigned char converted[msgpack_size_max];
    struct jb_frame *frame = (struct jb_frame *)r->frames;
    if (frame->size > sizeof converted)
        return;
    const size_t size = jb_msgpack_of_cbor(frame->data, frame->size, converted, sizeof converted);
    if (size == 0 || size > jb_room(frame->size))
        return;
    memcpy((void *)frame->data, converted, size);
    frame->size = r->payload_size = size;
    r->format = msgpack;
}

void jb_hand_out(struct jb_end *end, struct jb_block *block) {
    if (!end->msgpack)
        return;
    for (size_t i = 0; i < block->count; i++) {
        struct jb_record *r = &block->records[i];
        if (r->flag)
            to_msgpack(r);
        r->flag = 0;
    }
}
