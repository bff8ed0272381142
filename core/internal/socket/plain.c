/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A walk over a payload that ends at the first thing that is not plain. Each step takes
 * where an item begins and returns where it ends, or NULL.
 */
#include "plain.h"

#include <stdint.h>
#include <string.h>

/* The bounds of package key. */
enum { key_size_min = 2, key_size_max = 1026 };

/* Beyond these Go has to look. */
enum { depth_max = 16, pairs_max = 32 };

enum major { uint, negative, bytes, text, array, map, tag, simple };

typedef const unsigned char *place;

static uint64_t eight(place at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint32_t four(place at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Looks at eight or four bytes at a time, at some of the last ones twice. */
static inline int is_ascii(place at, size_t size) {
    const uint64_t high = 0x8080808080808080u;
    uint64_t seen = 0;
    if (size >= sizeof(uint64_t)) {
        for (size_t i = 0; i + sizeof seen < size; i += sizeof seen)
            seen |= eight(at + i);
        seen |= eight(at + size - sizeof seen);
    } else if (size >= sizeof(uint32_t)) {
        seen = four(at) | four(at + size - sizeof(uint32_t));
    } else {
        for (size_t i = 0; i < size; i++)
            seen |= at[i];
    }
    return (seen & high) == 0;
}

/* RFC 3629: the shortest form, no surrogates, up to 0x10ffff. */
static size_t utf8_size(place at, size_t left) {
    static const struct {
        unsigned char first_min, first_max, second_min, second_max, size;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const size_t size = forms[i].size;
        if (*at < forms[i].first_min || *at > forms[i].first_max)
            continue;
        if (size > left ||
            (size > 1 && (at[1] < forms[i].second_min || at[1] > forms[i].second_max)))
            return 0;
        for (size_t j = 2; j < size; j++)
            if (at[j] >> 6 != 2)
                return 0;
        return size;
    }
    return 0;
}

int jb_is_utf8(const void *text_at, size_t size) {
    place at = text_at;
    if (is_ascii(at, size))
        return 1;
    while (size > 0) {
        const size_t one = utf8_size(at, size);
        if (one == 0)
            return 0;
        at += one;
        size -= one;
    }
    return 1;
}

int jb_is_plain_name(const char *name, size_t size) {
    return is_ascii((place)name, size) && !memchr(name, 0, size);
}

int jb_is_plain_key(const char *key, size_t size) {
    return size >= key_size_min && size <= key_size_max && key[size - 1] == '.' &&
           jb_is_plain_name(key, size);
}

/* The size of a number, false, true, null or float, by its first byte; 0: it is another
 * thing. */
static inline size_t scalar_size(unsigned char first) {
    const unsigned info = first & 31;
    const size_t size = info < 24 ? 1 : info < 28 ? 1 + ((size_t)1 << (info - 24)) : 0;
    if (first < bytes << 5)
        return size;
    return first >= 0xf9 || (first >= 0xf4 && first <= 0xf6) ? size : 0;
}

/* Reads the size in a head of more than one byte, up to five. */
static place read_long_size(place at, place end, size_t *size) {
    const unsigned info = *at++ & 31;
    size_t length = (size_t)1 << (info & 3);
    if (info > 26 || (size_t)(end - at) < length)
        return NULL;
    for (*size = 0; length > 0; length--)
        *size = *size << 8 | *at++;
    return at;
}

/* Reads the size in a head. */
static inline place read_size(place at, place end, size_t *size) {
    *size = *at & 31;
    return *size < 24 ? at + 1 : read_long_size(at, end, size);
}

/* Reads a text, or a byte string, and returns where its content is. */
static inline place string(place at, place end, int is_text, size_t *size) {
    at = read_size(at, end, size);
    if (!at || *size > (size_t)(end - at) || (is_text && !jb_is_utf8(at, *size)))
        return NULL;
    return at;
}

/* Two digits as a number; else something over 99. */
static unsigned two_digits(place at) {
    unsigned tens = at[0] - '0', ones = at[1] - '0';
    return tens > 9 || ones > 9 ? 100 : 10 * tens + ones;
}

static unsigned days_in(unsigned month, unsigned year) {
    if (month == 2)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* A time as juicebus writes it: 2006-01-02T15:04:05, up to nine digits of a fraction,
 * and Z or an offset. */
static int is_time(place at, size_t size) {
    enum { seconds = 19, fraction_max = 9, offset = 6 };
    if (size <= seconds || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' ||
        at[16] != ':')
        return 0;
    const unsigned century = two_digits(at), years = two_digits(at + 2);
    const unsigned month = two_digits(at + 5), day = two_digits(at + 8);
    if (century > 99 || years > 99 || century + years == 0 || month < 1 || month > 12 || day < 1 ||
        day > days_in(month, 100 * century + years) || two_digits(at + 11) > 23 ||
        two_digits(at + 14) > 59 || two_digits(at + 17) > 59)
        return 0;
    place rest = at + seconds, end = at + size;
    if (*rest == '.') {
        place first = ++rest;
        while (rest < end && *rest - '0' >= 0 && *rest - '0' <= 9)
            rest++;
        if (rest == first || rest - first > fraction_max)
            return 0;
    }
    if (end - rest == 1)
        return *rest == 'Z';
    return end - rest == offset && (*rest == '+' || *rest == '-') && two_digits(rest + 1) < 24 &&
           rest[3] == ':' && two_digits(rest + 4) < 60;
}

static place item(place at, place end, int depth);

static place items(place at, place end, size_t count, int depth) {
    for (; at && count > 0; count--)
        at = item(at, end, depth);
    return at;
}

/* One bit of 64, for most keys of a map another one: where it is not set yet, a key is
 * new without a comparison. */
static uint64_t bit_of(place key, size_t size) {
    const size_t n = size ? size + 7u * key[0] + 31u * key[size - 1] : 0;
    return (uint64_t)1 << (n % 64);
}

static place pairs(place at, place end, size_t count, int depth) {
    struct {
        place data;
        size_t size;
    } keys[pairs_max];
    uint64_t bits = 0;
    if (count > pairs_max)
        return NULL;
    for (size_t i = 0; at && i < count; i++) {
        if (at == end || *at >> 5 != text)
            return NULL;
        size_t size;
        place key = string(at, end, 1, &size);
        if (!key)
            return NULL;
        const uint64_t bit = bit_of(key, size);
        for (size_t j = 0; bits & bit && j < i; j++)
            if (keys[j].size == size && memcmp(keys[j].data, key, size) == 0)
                return NULL;
        bits |= bit;
        keys[i].data = key;
        keys[i].size = size;
        at = item(key + size, end, depth);
    }
    return at;
}

static place time_text(place at, place end) {
    if (at == end || *at >> 5 != text)
        return NULL;
    size_t size;
    at = string(at, end, 1, &size);
    return at && is_time(at, size) ? at + size : NULL;
}

/* Seconds since 1970, whole or as a float64, within the years 1 to 9999. */
static place epoch(place at, place end) {
    const size_t size = at == end ? 0 : scalar_size(*at);
    if (size == 0 || size > (size_t)(end - at))
        return NULL;
    uint64_t number = *at & 31;
    for (size_t i = 1, first = 1; i < size; i++, first = 0)
        number = first ? at[i] : number << 8 | at[i];
    double seconds = (double)number;
    if (*at >> 5 == negative)
        seconds = -1 - seconds;
    else if (*at == 0xfb)
        memcpy(&seconds, &number, sizeof seconds);
    else if (*at >> 5 != uint)
        return NULL;
    return -62135596800.0 <= seconds && seconds < 253402300800.0 ? at + size : NULL;
}

static place item(place at, place end, int depth) {
    if (at == end || depth > depth_max)
        return NULL;
    size_t size = scalar_size(*at);
    if (size > 0)
        return size <= (size_t)(end - at) ? at + size : NULL;
    const unsigned char first = *at;
    switch (first >> 5) {
    case bytes:
    case text:
        at = string(at, end, first >> 5 == text, &size);
        return at ? at + size : NULL;
    case array:
        at = read_size(at, end, &size);
        return at ? items(at, end, size, depth + 1) : NULL;
    case map:
        at = read_size(at, end, &size);
        return at ? pairs(at, end, size, depth + 1) : NULL;
    case tag:
        return first == 0xc0 ? time_text(at + 1, end) : first == 0xc1 ? epoch(at + 1, end) : NULL;
    default:
        return NULL;
    }
}

int jb_is_plain_cbor(const void *payload, size_t size) {
    place at = payload;
    return size > 0 && *at >> 5 == map && item(at, at + size, 1) == at + size;
}
