/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Keys and payloads as nearly all events have them, known for good without Go. This
 * says yes only where package key or codec, the one judge of all others, says so too:
 * a fuzz test holds it to that. It never says no, but leaves the rest to them.
 */
#ifndef JB_PLAIN_H
#define JB_PLAIN_H

#include <stddef.h>

/* Of ASCII, and a good key. */
int jb_is_plain_key(const char *key, size_t size);

/* Of ASCII, and a good name or topic, but for its size and for being empty. */
int jb_is_plain_name(const char *name, size_t size);

/* A good CBOR payload of numbers, truth, null, times, bytes and text, with arrays and
 * maps of those, a few deep. */
int jb_is_plain_cbor(const void *payload, size_t size);

/* A good JSON payload, nested a few deep. */
int jb_is_plain_json(const void *payload, size_t size);

/* Whether a text is UTF-8. */
int jb_is_utf8(const void *text, size_t size);

#endif
