/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What can be done with a block's events: their keys are split, and some are taken out
 * into a block of their own, as a ring holds whole blocks, and a caller may ask for
 * fewer events than one has.
 */
#include "block.h"

#include <string.h>

#include "memory.h"

/* Name, NUL, topic, NUL; without a topic there is one NUL. */
static size_t key_size_of(const struct jb_record *record) {
    return record->name_size + 1 + (record->topic_size ? record->topic_size + 1 : 0);
}

void jb_split(struct jb_record *record, size_t name_size) {
    const size_t key_size = record->name_size;
    record->name[name_size] = 0;
    record->name[key_size - 1] = 0;
    record->topic = record->name + name_size;
    record->topic_size = 0;
    if (key_size > name_size + 2) { /* not for a second dot without a topic */
        record->topic++;
        record->topic_size = key_size - name_size - 2;
    }
    record->name_size = name_size;
    record->size = key_size_of(record);
    for (size_t i = 0; i < record->frame_count; i++)
        record->size += record->frames[i].size;
}

static size_t bytes_size(const struct jb_record *record) {
    size_t size = jb_aligned(key_size_of(record));
    for (size_t i = 0; i < record->frame_count; i++)
        size += jb_room(record->frames[i].size);
    return size;
}

struct jb_sizes jb_block_sizes(const struct jb_block *block, size_t first, size_t count) {
    struct jb_sizes sizes = {0, 0};
    for (size_t i = first; i < first + count; i++) {
        const struct jb_record *record = &block->records[i];
        sizes.bytes += record->size;
        sizes.cost +=
            bytes_size(record) + sizeof *record + record->frame_count * sizeof *record->frames;
    }
    return sizes;
}

static char *append(char *to, const void *data, size_t size) {
    if (size > 0)
        memcpy(to, data, size);
    return to + jb_room(size);
}

struct jb_block *jb_block_copy(const struct jb_block *from, size_t first, size_t count) {
    const struct jb_record *source = from->records + first;
    size_t bytes = jb_aligned(sizeof(struct jb_block)), frame_count = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += bytes_size(&source[i]);
        frame_count += source[i].frame_count;
    }
    size_t size = bytes + count * sizeof(struct jb_record) + frame_count * sizeof(struct jb_frame);
    char *base = jb_malloc(size);
    if (!base)
        return NULL;
    char *data = base + jb_aligned(sizeof(struct jb_block));
    struct jb_record *records = (struct jb_record *)(void *)(base + bytes);
    struct jb_frame *frames = (struct jb_frame *)(void *)(records + count);
    for (size_t i = 0; i < count; i++) {
        struct jb_record *to = &records[i];
        *to = source[i];
        to->name = data;
        to->topic = data + (source[i].topic - source[i].name);
        data = append(data, source[i].name, key_size_of(to) - 1);
        to->name[key_size_of(to) - 1] = 0;
        to->frames = frames;
        for (size_t j = 0; j < to->frame_count; j++) {
            *frames++ = (struct jb_frame){data, source[i].frames[j].size};
            data = append(data, source[i].frames[j].data, source[i].frames[j].size);
        }
        to->payload = to->frame_count ? to->frames[0].data : NULL;
    }
    struct jb_block *block = (struct jb_block *)(void *)base;
    *block = (struct jb_block){size, count, records, count, 0};
    return block;
}
