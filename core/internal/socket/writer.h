/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What both conversions of msgpack.h read and write with. Numbers are big-endian in both
 * formats.
 */
#ifndef JB_WRITER_H
#define JB_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef const unsigned char *place;

/* CBOR's major types. */
enum major { uint, negative, bytes, text, array, map, tag, simple };

/* Where an item is written to; `at` counts also beyond the end, and without memory. */
struct writer {
    unsigned char *out;
    size_t capacity, at;
};

static inline void put(struct writer *w, const void *data, size_t size) {
    if (w->out && w->at + size <= w->capacity)
        memcpy(w->out + w->at, data, size);
    w->at += size;
}

/* Writes a byte, and a number behind it in so many bytes. */
static inline void put_number(struct writer *w, unsigned first, uint64_t number, size_t size) {
    unsigned char data[9];
    data[0] = (unsigned char)first;
    for (size_t i = size; i > 0; i--, number >>= 8)
        data[i] = (unsigned char)number;
    put(w, data, size + 1);
}

static inline uint64_t number_at(place at, size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | at[i];
    return number;
}

static inline size_t written(const struct writer *w) {
    return !w->out || w->at <= w->capacity ? w->at : 0;
}

#endif
