/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The event that every cell sends: a key, and 130 bytes of CBOR as a Python service
 * writes them. The number in it tells events apart. gobus sends the same bytes.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { payload_bytes = 130, number_at = 9, topic_bytes = 7 /* with its NUL */ };

/* A map of seven: number, time, channel, unit, kelvin, ohm, comment. */
static const char event_template[payload_bytes + 1] =
    "\xa7\x66number\x1b\0\0\0\0\0\0\0\0"
    "\x64time\xc1\xfb\x41\xda\x00\x00\x00\x00\x00\x00"
    "\x67"
    "channel\x6amxc-flange"
    "\x64unit\x61K"
    "\x66kelvin\xfb\x3f\x84\x7a\xe1\x47\xae\x14\x7b"
    "\x63ohm\xfb\x40\xc3\x88\x00\x00\x00\x00\x00"
    "\x67"
    "comment\x78\x21"
    "cooling down, about 12 mK to go..";

static inline void set_number(unsigned char *payload, uint64_t number) {
    for (int i = 7; i >= 0; i--, number >>= 8)
        payload[number_at + i] = (unsigned char)number;
}

static inline uint64_t get_number(const void *payload, size_t size) {
    const unsigned char *bytes = payload;
    uint64_t number = 0;
    if (size != payload_bytes)
        return number;
    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[number_at + i];
    return number;
}

static inline void write_topic(char topic[topic_bytes], uint64_t key) {
    snprintf(topic, topic_bytes, "t%05u", (unsigned)(key % 100000));
}

#endif
