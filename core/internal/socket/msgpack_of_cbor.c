/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A walk over CBOR that is known to be plain. Each step writes an item and returns what
 * lies behind it, or NULL where MessagePack has no form for it. By the MessagePack
 * specification of 2017, with its timestamp extension.
 */
#include "msgpack.h"
#include "writer.h"

static void put_uint(struct writer *w, uint64_t number) {
    if (number < 0x80)
        put_number(w, (unsigned)number, 0, 0);
    else if (number <= UINT8_MAX)
        put_number(w, 0xcc, number, 1);
    else if (number <= UINT16_MAX)
        put_number(w, 0xcd, number, 2);
    else if (number <= UINT32_MAX)
        put_number(w, 0xce, number, 4);
    else
        put_number(w, 0xcf, number, 8);
}

/* The number -1 - below. */
static int put_negative(struct writer *w, uint64_t below) {
    const uint64_t number = ~below; /* in two's complement */
    if (below < 0x20)
        put_number(w, (unsigned)(number & 0xff), 0, 0);
    else if (below <= INT8_MAX)
        put_number(w, 0xd0, number, 1);
    else if (below <= INT16_MAX)
        put_number(w, 0xd1, number, 2);
    else if (below <= INT32_MAX)
        put_number(w, 0xd2, number, 4);
    else if (below <= INT64_MAX)
        put_number(w, 0xd3, number, 8);
    else
        return 0;
    return 1;
}

/* Heads of what has a size or a count: up to `short_max` in one byte, then in those that
 * `heads` names for one, two and four; 0: there is none. */
static void put_size(struct writer *w, unsigned base, uint64_t short_max, const unsigned heads[3],
                     uint64_t size) {
    if (size <= short_max && base)
        put_number(w, base + (unsigned)size, 0, 0);
    else if (size <= UINT8_MAX && heads[0])
        put_number(w, heads[0], size, 1);
    else if (size <= UINT16_MAX)
        put_number(w, heads[1], size, 2);
    else
        put_number(w, heads[2], size, 4);
}

static const unsigned text_heads[] = {0xd9, 0xda, 0xdb}, bytes_heads[] = {0xc4, 0xc5, 0xc6},
                      array_heads[] = {0, 0xdc, 0xdd}, map_heads[] = {0, 0xde, 0xdf};

/* Days since 1970 of a date of the Gregorian calendar; after Hinnant, chrono-Compatible
 * Low-Level Date Algorithms. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    const int64_t era = year / 400, of_era = year - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void put_time(struct writer *w, int64_t seconds, uint32_t nanoseconds) {
    unsigned char extension[4] = {0xd6, 0xff, 0, 0};
    if (nanoseconds == 0 && seconds >= 0 && seconds <= UINT32_MAX) {
        put(w, extension, 2);
        put_number(w, (unsigned)(seconds >> 24) & 0xff, (uint64_t)seconds, 3);
        return;
    }
    const uint64_t both = (uint64_t)nanoseconds << 34 | (uint64_t)seconds;
    if (seconds >= 0 && seconds >> 34 == 0) {
        extension[0] = 0xd7;
        put(w, extension, 2);
        put_number(w, (unsigned)(both >> 56), both, 7);
        return;
    }
    memcpy(extension, "\xc7\x0c\xff", 3);
    put(w, extension, 3);
    put_number(w, nanoseconds >> 24, nanoseconds, 3);
    put_number(w, (unsigned)((uint64_t)seconds >> 56), (uint64_t)seconds, 7);
}

static int64_t digits(place at, size_t count) {
    int64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number * 10 + (at[i] - '0');
    return number;
}

/* A time as text, which is one; 0: it is not in UTC, or too exact. */
static int put_time_text(struct writer *w, place at, size_t size) {
    enum { seconds_size = 19, fraction_max = 6 };
    int64_t seconds = days_of(digits(at, 4), digits(at + 5, 2), digits(at + 8, 2)) * 86400 +
                      digits(at + 11, 2) * 3600 + digits(at + 14, 2) * 60 + digits(at + 17, 2);
    place rest = at + seconds_size, end = at + size;
    uint32_t nanoseconds = 0;
    if (*rest == '.') {
        size_t count = 0;
        while (rest[1 + count] >= '0' && rest[1 + count] <= '9')
            count++;
        if (count > fraction_max)
            return 0;
        nanoseconds = (uint32_t)digits(rest + 1, count);
        for (size_t i = count; i < 9; i++)
            nanoseconds *= 10;
        rest += 1 + count;
    }
    if (*rest != 'Z' && (end - rest != 6 || memcmp(rest, "+00:00", 6) != 0))
        return 0;
    put_time(w, seconds, nanoseconds);
    return 1;
}

/* IEEE 754 binary16, which MessagePack does not have, as a double. */
static double half(unsigned bits) {
    const unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
    uint64_t wide = (uint64_t)(bits >> 15) << 63;
    if (exponent == 0) {
        const double number = fraction / 16777216.0;
        return bits >> 15 ? -number : number;
    }
    wide |= (uint64_t)(exponent == 31 ? 2047 : exponent + 1008) << 52 | (uint64_t)fraction << 42;
    double number;
    memcpy(&number, &wide, sizeof number);
    return number;
}

static int put_simple(struct writer *w, unsigned info, uint64_t value) {
    static const unsigned char small[] = {0xc2, 0xc3, 0xc0};
    uint64_t wide;
    double number;
    switch (info) {
    case 20:
    case 21:
    case 22:
        put(w, &small[info - 20], 1);
        return 1;
    case 25:
        number = half((unsigned)value);
        memcpy(&wide, &number, sizeof wide);
        put_number(w, 0xcb, wide, 8);
        return 1;
    case 26:
        put_number(w, 0xca, value, 4);
        return 1;
    case 27:
        put_number(w, 0xcb, value, 8);
        return 1;
    default:
        return 0;
    }
}

static place from_cbor(struct writer *w, place at);

static place from_items(struct writer *w, place at, uint64_t count) {
    for (; at && count > 0; count--)
        at = from_cbor(w, at);
    return at;
}

static place from_head(place at, unsigned *info, uint64_t *value) {
    *info = *at++ & 31;
    const size_t size = *info < 24 ? 0 : (size_t)1 << (*info - 24);
    *value = *info < 24 ? *info : number_at(at, size);
    return at + size;
}

/* Whole seconds, or text; a float would have to be rounded as each language does it. */
static place from_time(struct writer *w, place at, uint64_t number) {
    unsigned info;
    uint64_t value;
    const unsigned kind = *at >> 5;
    at = from_head(at, &info, &value);
    if (number == 0)
        return put_time_text(w, at, value) ? at + value : NULL;
    if (kind > negative)
        return NULL;
    put_time(w, kind == uint ? (int64_t)value : -1 - (int64_t)value, 0);
    return at;
}

static place from_cbor(struct writer *w, place at) {
    unsigned info;
    uint64_t value;
    const unsigned kind = *at >> 5;
    at = from_head(at, &info, &value);
    switch (kind) {
    case uint:
        put_uint(w, value);
        return at;
    case negative:
        return put_negative(w, value) ? at : NULL;
    case bytes:
    case text:
        put_size(w, kind == text ? 0xa0 : 0, 31, kind == text ? text_heads : bytes_heads, value);
        put(w, at, value);
        return at + value;
    case array:
        put_size(w, 0x90, 15, array_heads, value);
        return from_items(w, at, value);
    case map:
        put_size(w, 0x80, 15, map_heads, value);
        return from_items(w, at, 2 * value);
    case tag:
        return from_time(w, at, value);
    default:
        return put_simple(w, info, value) ? at : NULL;
    }
}

size_t jb_msgpack_of_cbor(const void *cbor, size_t cbor_size, void *out, size_t capacity) {
    struct writer w = {out, capacity, 0};
    return from_cbor(&w, cbor) == (place)cbor + cbor_size ? written(&w) : 0;
}
