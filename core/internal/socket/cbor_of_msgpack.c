/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A walk over MessagePack, which may be damaged. Each step writes an item in the shortest
 * form that RFC 8949 has for it, and returns what lies behind it, or NULL.
 */
#include "msgpack.h"
#include "writer.h"

enum { depth_max = 64 };

static void put_head(struct writer *w, enum major kind, uint64_t number) {
    const unsigned base = (unsigned)kind << 5;
    if (number < 24)
        put_number(w, base + (unsigned)number, 0, 0);
    else if (number <= UINT8_MAX)
        put_number(w, base + 24, number, 1);
    else if (number <= UINT16_MAX)
        put_number(w, base + 25, number, 2);
    else if (number <= UINT32_MAX)
        put_number(w, base + 26, number, 4);
    else
        put_number(w, base + 27, number, 8);
}

static void put_int(struct writer *w, int64_t number) {
    if (number < 0)
        put_head(w, negative, ~(uint64_t)number);
    else
        put_head(w, uint, (uint64_t)number);
}

static void write_digits(char *to, int number, int count) {
    for (; count > 0; number /= 10)
        to[--count] = (char)('0' + number % 10);
}

/* A time as text, to the microsecond or, where it has them, nanoseconds. */
static int put_iso_time(struct writer *w, int64_t seconds, uint32_t nanoseconds) {
    enum { seconds_size = 19 };
    if (nanoseconds > 999999999 || seconds < -62135596800 || seconds >= 253402300800)
        return 0;
    const int64_t days = (seconds + 62135596800) / 86400 - 719162; /* rounded down */
    const int of_day = (int)(seconds - days * 86400);
    /* The inverse of days_of. */
    const int64_t from_0 = days + 719468, era = (from_0 >= 0 ? from_0 : from_0 - 146096) / 146097;
    const int64_t of_era = from_0 - era * 146097;
    const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted = (5 * of_year + 2) / 153;
    const int day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    const int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    const int year = (int)(year_of_era + era * 400 + (month <= 2));
    char iso[] = "0000-00-00T00:00:00.000000000+00:00";
    write_digits(iso, year, 4);
    write_digits(iso + 5, month, 2);
    write_digits(iso + 8, day, 2);
    write_digits(iso + 11, of_day / 3600, 2);
    write_digits(iso + 14, of_day / 60 % 60, 2);
    write_digits(iso + 17, of_day % 60, 2);
    size_t size = seconds_size;
    if (nanoseconds % 1000 != 0) {
        write_digits(iso + size + 1, (int)nanoseconds, 9);
        size += 10;
    } else if (nanoseconds != 0) {
        write_digits(iso + size + 1, (int)nanoseconds / 1000, 6);
        size += 7;
    }
    memcpy(iso + size, "+00:00", 6);
    size += 6;
    put_head(w, tag, 0);
    put_head(w, text, size);
    put(w, iso, size);
    return 1;
}

static place to_time(struct writer *w, place at, size_t size) {
    int good = 0;
    if (size == 4)
        good = put_iso_time(w, (int64_t)number_at(at, 4), 0);
    else if (size == 8)
        good = put_iso_time(w, (int64_t)(number_at(at, 8) & (((uint64_t)1 << 34) - 1)),
                            (uint32_t)(number_at(at, 8) >> 34));
    else if (size == 12)
        good = put_iso_time(w, (int64_t)number_at(at + 4, 8), (uint32_t)number_at(at, 4));
    return good ? at + size : NULL;
}

static place to_cbor(struct writer *w, place at, place end, int depth);

static place to_items(struct writer *w, place at, place end, enum major kind, uint64_t count,
                      int depth) {
    put_head(w, kind, count);
    for (count *= kind == map ? 2 : 1; at && count > 0; count--)
        at = to_cbor(w, at, end, depth + 1);
    return at;
}

static place to_string(struct writer *w, place at, place end, enum major kind, uint64_t size) {
    if (size > (uint64_t)(end - at))
        return NULL;
    put_head(w, kind, size);
    put(w, at, size);
    return at + size;
}

static place to_extension(struct writer *w, place at, place end, uint64_t size) {
    if (at == end || size > (uint64_t)(end - at - 1) || *at != 0xff)
        return NULL;
    return to_time(w, at + 1, size);
}

/* How many bytes of a number follow a first byte from 0xc0 on. */
static const unsigned char number_sizes[32] = {
    [0x04] = 1, [0x05] = 2, [0x06] = 4, [0x07] = 1, [0x08] = 2, [0x09] = 4, [0x0a] = 4, [0x0b] = 8,
    [0x0c] = 1, [0x0d] = 2, [0x0e] = 4, [0x0f] = 8, [0x10] = 1, [0x11] = 2, [0x12] = 4, [0x13] = 8,
    [0x19] = 1, [0x1a] = 2, [0x1b] = 4, [0x1c] = 2, [0x1d] = 4, [0x1e] = 2, [0x1f] = 4,
};

/* What begins with a byte from 0xc0 to 0xdf. */
static place to_long(struct writer *w, place at, place end, int depth) {
    const unsigned first = at[-1];
    const size_t size = number_sizes[first - 0xc0];
    if (size > (size_t)(end - at))
        return NULL;
    const uint64_t value = number_at(at, size);
    at += size;
    switch (first) {
    case 0xc0:
        put_head(w, simple, 22);
        return at;
    case 0xc2:
    case 0xc3:
        put_head(w, simple, 20 + (first & 1));
        return at;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return to_string(w, at, end, bytes, value);
    case 0xc7:
    case 0xc8:
    case 0xc9:
        return to_extension(w, at, end, value);
    case 0xca:
    case 0xcb:
        put_number(w, first == 0xca ? 0xfa : 0xfb, value, size);
        return at;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        put_head(w, uint, value);
        return at;
    case 0xd0:
        put_int(w, (int8_t)value);
        return at;
    case 0xd1:
        put_int(w, (int16_t)value);
        return at;
    case 0xd2:
        put_int(w, (int32_t)value);
        return at;
    case 0xd3:
        put_int(w, (int64_t)value);
        return at;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return to_extension(w, at, end, (uint64_t)1 << (first - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return to_string(w, at, end, text, value);
    case 0xdc:
    case 0xdd:
        return to_items(w, at, end, array, value, depth);
    case 0xde:
    case 0xdf:
        return to_items(w, at, end, map, value, depth);
    default:
        return NULL;
    }
}

static place to_cbor(struct writer *w, place at, place end, int depth) {
    if (at == end || depth > depth_max)
        return NULL;
    const unsigned first = *at++;
    if (first < 0x80) {
        put_head(w, uint, first);
        return at;
    }
    if (first >= 0xe0) {
        put_head(w, negative, 0xff - first);
        return at;
    }
    if (first >= 0xc0)
        return to_long(w, at, end, depth);
    if (first >= 0xa0)
        return to_string(w, at, end, text, first & 31);
    return to_items(w, at, end, first >= 0x90 ? array : map, first & 15, depth);
}

int jb_begins_msgpack(const void *payload, size_t size) {
    if (size == 0)
        return 0;
    const unsigned first = *(place)payload;
    return first >> 4 == 8 || first == 0xde || first == 0xdf;
}

size_t jb_cbor_of_msgpack(const void *msgpack, size_t msgpack_size, void *out, size_t capacity) {
    struct writer w = {out, capacity, 0};
    place end = (place)msgpack + msgpack_size;
    return to_cbor(&w, msgpack, end, 1) == end ? written(&w) : 0;
}
