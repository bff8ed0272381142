/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Payloads between CBOR, which the wire has, and MessagePack, which some languages read
 * and write several times faster. Both are maps of the same values; only what both hold
 * exactly is converted.
 */
#ifndef JB_MSGPACK_H
#define JB_MSGPACK_H

#include <stddef.h>

/* Whether a payload begins like a map of MessagePack; no other payload does. */
int jb_begins_msgpack(const void *payload, size_t size);

/* Writes a payload that jb_is_plain_cbor knows, and returns its size; 0: it has no such
 * form, or there is no room. MessagePack has times in UTC only, here to the microsecond. */
size_t jb_msgpack_of_cbor(const void *cbor, size_t cbor_size, void *out, size_t capacity);

/* Writes a payload of MessagePack, which may be damaged, and returns its size; 0: it is,
 * or has an extension that is no time, or there is no room. What comes out has still to
 * be judged, as any payload. With `out` NULL the size is all that is wanted. */
size_t jb_cbor_of_msgpack(const void *msgpack, size_t msgpack_size, void *out, size_t capacity);

#endif
