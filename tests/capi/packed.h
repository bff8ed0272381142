// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Writes events and frames in one run of bytes, as publish_packed and send_packed read
// them.
#ifndef PACKED_H
#define PACKED_H

#include "check.h"

typedef struct packed {
    char data[4096];
    size_t size;
} packed;

static inline void pack_bytes(packed *p, const void *data, size_t size) {
    CHECK(p->size + size <= sizeof p->data);
    if (size > 0)
        memcpy(p->data + p->size, data, size);
    p->size += size;
}

static inline void pack_u32(packed *p, uint32_t number) {
    pack_bytes(p, &number, sizeof number);
}

// An event with frames that are texts.
static inline void pack_event(packed *p, const char *name, const char *topic, uint32_t unchecked,
                              const char *const *frames, uint32_t count) {
    pack_u32(p, (uint32_t)strlen(name));
    pack_u32(p, (uint32_t)strlen(topic));
    pack_u32(p, count | unchecked);
    for (uint32_t i = 0; i < count; i++)
        pack_u32(p, (uint32_t)strlen(frames[i]));
    pack_bytes(p, name, strlen(name) + 1);
    pack_bytes(p, topic, strlen(topic) + 1);
    for (uint32_t i = 0; i < count; i++)
        pack_bytes(p, frames[i], strlen(frames[i]));
}

static inline void pack_frames(packed *p, const char *const *frames, uint32_t count) {
    pack_u32(p, count);
    for (uint32_t i = 0; i < count; i++)
        pack_u32(p, (uint32_t)strlen(frames[i]));
    for (uint32_t i = 0; i < count; i++)
        pack_bytes(p, frames[i], strlen(frames[i]));
}

#endif
