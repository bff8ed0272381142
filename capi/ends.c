/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Slots, one for each index that a handle has ever had; they come in chunks that stay
 * where they are. A slot's lock is held for a moment: its end lives on while it is held.
 */
#include "ends.h"

#include "../core/internal/socket/direct.h"
#include "../core/internal/socket/lock.h"
#include "../core/internal/socket/memory.h"

struct slot {
    struct jb_lock lock;
    uint64_t handle;
    struct jb_end *end;
};

enum { chunk_size = 256, chunk_count = (1 << GOJB_INDEX_BITS) / chunk_size };

static struct slot *chunks[chunk_count];

static size_t index_of(uint64_t handle) {
    return handle & ((1u << GOJB_INDEX_BITS) - 1);
}

static struct slot *slot_of(uint64_t handle) {
    struct slot *chunk = __atomic_load_n(&chunks[index_of(handle) / chunk_size], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[index_of(handle) % chunk_size] : NULL;
}

/* Without memory there is no slot, and Go sees to everything. */
static void make_slot(uint64_t handle) {
    struct slot **at = &chunks[index_of(handle) / chunk_size], *none = NULL;
    struct slot *chunk = (struct slot *)jb_calloc(chunk_size, sizeof *chunk);
    if (!__atomic_compare_exchange_n(at, &none, chunk, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        jb_free(chunk);
}

static void put(struct slot *slot, uint64_t handle, struct jb_end *end) {
    jb_lock(&slot->lock);
    struct jb_end *old = slot->end;
    slot->handle = handle;
    slot->end = end;
    jb_unlock(&slot->lock);
    if (old)
        jb_end_release(old);
}

void gojb_end_open(uint64_t handle, uintptr_t end) {
    if (!slot_of(handle))
        make_slot(handle);
    struct slot *slot = slot_of(handle);
    if (!slot)
        return;
    jb_end_hold((struct jb_end *)end);
    put(slot, handle, (struct jb_end *)end);
}

void gojb_end_close(uint64_t handle) {
    struct slot *slot = slot_of(handle);
    if (slot)
        put(slot, 0, NULL);
}

struct jb_end *jbc_hold_any(uint64_t handle) {
    struct slot *slot = slot_of(handle);
    if (!slot)
        return NULL;
    jb_lock(&slot->lock);
    struct jb_end *end = slot->handle == handle ? slot->end : NULL;
    if (end)
        jb_end_hold(end);
    jb_unlock(&slot->lock);
    return end;
}

struct jb_end *jbc_hold(uint64_t handle, uint64_t kind) {
    return handle >> GOJB_KIND_SHIFT == kind ? jbc_hold_any(handle) : NULL;
}

void jbc_use_msgpack(uint64_t handle) {
    struct jb_end *end = jbc_hold_any(handle);
    if (!end)
        return;
    jb_use_msgpack(end);
    jb_end_release(end);
}
