/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#include "zmtp.h"

#include <errno.h>
#include <string.h>

enum { flag_more = 1, flag_long = 2, flag_command = 4, flags_reserved = 0xf8 };
enum { short_head_bytes = 2, signature_end = 9, version_at = 10, mechanism_at = 12 };
enum { mechanism_bytes = 20, ping_time_bytes = 2, ping_context_bytes_max = 16 };

const unsigned char jb_greeting[jb_greeting_bytes] = {
    [0] = 0xff, [signature_end] = 0x7f, [version_at] = 3, [mechanism_at] = 'N', 'U', 'L', 'L',
};

const unsigned char jb_ready[] = "\4\x1a\5READY\x0bSocket-Type\0\0\0\4XSUB";
const size_t jb_ready_bytes = sizeof jb_ready - 1;

int jb_is_greeting(const unsigned char greeting[jb_greeting_bytes]) {
    return greeting[0] == 0xff && greeting[signature_end] == 0x7f && greeting[version_at] >= 3 &&
           memcmp(greeting + mechanism_at, jb_greeting + mechanism_at, mechanism_bytes) == 0;
}

static size_t read_size(const unsigned char *data, size_t bytes) {
    size_t size = 0;
    for (size_t i = 0; i < bytes; i++)
        size = size << 8 | data[i];
    return size;
}

static int is(const unsigned char *data, size_t size, const char *text) {
    return size == strlen(text) && memcmp(data, text, size) == 0;
}

/* What follows a command's name; NULL if it has another one. */
static const unsigned char *after_name(const unsigned char *body, size_t size, const char *name) {
    size_t name_size = strlen(name);
    if (size <= name_size || body[0] != name_size || memcmp(body + 1, name, name_size) != 0)
        return NULL;
    return body + 1 + name_size;
}

int jb_is_ready_of_publisher(const unsigned char *body, size_t size) {
    const unsigned char *end = body + size;
    const unsigned char *at = after_name(body, size, "READY");
    int publishes = 0;
    while (at && at < end) {
        const unsigned char *name = at + 1;
        size_t name_size = *at;
        if ((size_t)(end - name) < name_size + 4)
            return 0;
        const unsigned char *value = name + name_size + 4;
        size_t value_size = read_size(value - 4, 4);
        if ((size_t)(end - value) < value_size)
            return 0;
        if (is(name, name_size, "Socket-Type"))
            publishes = is(value, value_size, "PUB") || is(value, value_size, "XPUB");
        at = value + value_size;
    }
    return publishes;
}

int jb_read_head(const unsigned char *data, size_t size, struct jb_head *head) {
    if (size < 1)
        return 0;
    const unsigned char flags = data[0];
    if (flags & flags_reserved || (flags & flag_command && flags & flag_more))
        return -EPROTO;
    const size_t bytes = flags & flag_long ? jb_head_bytes_max : short_head_bytes;
    if (size < bytes)
        return 0;
    head->more = (flags & flag_more) != 0;
    head->command = (flags & flag_command) != 0;
    head->size = read_size(data + 1, bytes - 1);
    return (int)bytes;
}

size_t jb_write_head(unsigned char *to, int command, size_t size) {
    to[0] = command ? flag_command : 0;
    to[1] = (unsigned char)size;
    return short_head_bytes;
}

int jb_answer(const unsigned char *body, size_t size, unsigned char pong[jb_pong_bytes_max]) {
    const unsigned char *time = after_name(body, size, "PING");
    if (!time) /* READY comes once, and whoever says ERROR gives up */
        return after_name(body, size, "READY") || after_name(body, size, "ERROR") ? -EPROTO : 0;
    size_t rest = (size_t)(body + size - time);
    if (rest < ping_time_bytes || rest - ping_time_bytes > ping_context_bytes_max)
        return -EPROTO;
    size_t context = rest - ping_time_bytes;
    size_t at = jb_write_head(pong, 1, 5 + context);
    memcpy(pong + at, "\4PONG", 5);
    memcpy(pong + at + 5, time + ping_time_bytes, context);
    return (int)(at + 5 + context);
}
