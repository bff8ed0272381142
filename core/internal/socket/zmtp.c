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

const unsigned char *jb_ready_for(enum jb_role peer) {
    static const unsigned char to_publishers[] = "\4\x1a\5READY\x0bSocket-Type\0\0\0\4XSUB";
    static const unsigned char to_subscribers[] = "\4\x1a\5READY\x0bSocket-Type\0\0\0\4XPUB";
    return peer == jb_publisher_role ? to_publishers : to_subscribers;
}

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

static int has_role(enum jb_role role, const unsigned char *type, size_t size) {
    if (role == jb_publisher_role)
        return is(type, size, "PUB") || is(type, size, "XPUB");
    return is(type, size, "SUB") || is(type, size, "XSUB");
}

int jb_is_ready_of(enum jb_role peer, const unsigned char *body, size_t size) {
    const unsigned char *end = body + size;
    const unsigned char *at = after_name(body, size, "READY");
    int good = 0;
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
            good = has_role(peer, value, value_size);
        at = value + value_size;
    }
    return good;
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

int jb_answer(const unsigned char *start, uint64_t size, unsigned char pong[jb_pong_bytes_max]) {
    const size_t there = size < jb_command_start ? (size_t)size : jb_command_start;
    const unsigned char *time = after_name(start, there, "PING");
    if (!time) /* READY comes once, and whoever says ERROR gives up */
        return after_name(start, there, "READY") || after_name(start, there, "ERROR") ? -EPROTO : 0;
    const uint64_t rest = size - (uint64_t)(time - start);
    if (rest < ping_time_bytes || rest - ping_time_bytes > ping_context_bytes_max)
        return -EPROTO;
    const size_t context = (size_t)rest - ping_time_bytes;
    pong[0] = flag_command;
    pong[1] = (unsigned char)(5 + context);
    memcpy(pong + 2, "\4PONG", 5);
    memcpy(pong + 7, time + ping_time_bytes, context);
    return (int)(7 + context);
}
