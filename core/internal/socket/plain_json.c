/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A walk over JSON (RFC 8259) that ends at the first thing that is not plain. Each step
 * takes where something begins and returns where it ends, or NULL.
 */
#include <string.h>

#include "plain.h"

/* Beyond this Go has to look. */
enum { depth_max = 16 };

typedef const char *place;

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static place spaces(place at, place end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static place digits(place at, place end) {
    place first = at;
    while (at < end && is_digit(*at))
        at++;
    return at > first ? at : NULL;
}

static place number(place at, place end) {
    if (at < end && *at == '-')
        at++;
    if (at < end && *at == '0')
        at++;
    else
        at = digits(at, end);
    if (at && at < end && *at == '.')
        at = digits(at + 1, end);
    if (at && at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = digits(at, end);
    }
    return at;
}

/* What follows a backslash. */
static place escaped(place at, place end) {
    if (at == end)
        return NULL;
    if (*at != 'u')
        return memchr("\"\\/bfnrt", *at, 8) ? at + 1 : NULL;
    if (end - at < 5)
        return NULL;
    for (int i = 1; i < 5; i++)
        if (!is_digit(at[i]) && ((at[i] | 0x20) < 'a' || (at[i] | 0x20) > 'f'))
            return NULL;
    return at + 5;
}

static place string(place at, place end) {
    if (at == end || *at != '"')
        return NULL;
    place first = ++at;
    while (at && at < end && *at != '"') {
        if ((unsigned char)*at < 0x20)
            return NULL;
        at = *at == '\\' ? escaped(at + 1, end) : at + 1;
    }
    return at && at < end && jb_is_utf8(first, (size_t)(at - first)) ? at + 1 : NULL;
}

static place word(place at, place end, const char *expected, size_t size) {
    return (size_t)(end - at) >= size && memcmp(at, expected, size) == 0 ? at + size : NULL;
}

static place value(place at, place end, int depth);

/* A member of an object, or an element of an array. */
static place member(place at, place end, int is_object, int depth) {
    at = spaces(at, end);
    if (is_object) {
        at = string(at, end);
        at = at ? spaces(at, end) : NULL;
        if (!at || at == end || *at != ':')
            return NULL;
        at = spaces(at + 1, end);
    }
    at = value(at, end, depth);
    return at ? spaces(at, end) : NULL;
}

/* What follows the opening bracket of an object or an array. */
static place members(place at, place end, int is_object, int depth) {
    const char closing = is_object ? '}' : ']';
    place first = spaces(at, end);
    if (first < end && *first == closing)
        return first + 1;
    do
        at = member(at, end, is_object, depth);
    while (at && at < end && *at == ',' && at++);
    return at && at < end && *at == closing ? at + 1 : NULL;
}

static place value(place at, place end, int depth) {
    if (at == end || depth > depth_max)
        return NULL;
    switch (*at) {
    case '"':
        return string(at, end);
    case '{':
    case '[':
        return members(at + 1, end, *at == '{', depth + 1);
    case 't':
        return word(at, end, "true", 4);
    case 'f':
        return word(at, end, "false", 5);
    case 'n':
        return word(at, end, "null", 4);
    default:
        return number(at, end);
    }
}

int jb_is_plain_json(const void *payload, size_t size) {
    place at = payload, end = at + size;
    if (size == 0 || *at != '{')
        return 0;
    at = value(at, end, 1);
    return at && spaces(at, end) == end;
}
