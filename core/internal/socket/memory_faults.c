//go:build faults

/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Memory that runs out after the n-th allocation, for the fault tests. Any thread
 * allocates, so the counts are atomic.
 */
#ifndef JB_FAULTS
#define JB_FAULTS
#endif
#include "memory.h"

static int64_t allowed = INT64_MAX, live, failed;

void jb_allow_allocations(int64_t count) {
    __atomic_store_n(&allowed, count < 0 ? INT64_MAX : count, __ATOMIC_SEQ_CST);
    __atomic_store_n(&failed, 0, __ATOMIC_SEQ_CST);
}

int64_t jb_live_allocations(void) {
    return __atomic_load_n(&live, __ATOMIC_SEQ_CST);
}

int64_t jb_failed_allocations(void) {
    return __atomic_load_n(&failed, __ATOMIC_SEQ_CST);
}

static int fails(void) {
    if (__atomic_sub_fetch(&allowed, 1, __ATOMIC_SEQ_CST) >= 0)
        return 0;
    __atomic_store_n(&allowed, 0, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&failed, 1, __ATOMIC_SEQ_CST);
    return 1;
}

static void *counted(void *memory) {
    if (memory)
        __atomic_add_fetch(&live, 1, __ATOMIC_SEQ_CST);
    return memory;
}

void *jb_malloc(size_t size) {
    return fails() ? NULL : counted(malloc(size));
}

void *jb_calloc(size_t count, size_t size) {
    return fails() ? NULL : counted(calloc(count, size));
}

void *jb_realloc(void *old, size_t size) {
    if (fails())
        return NULL;
    return old ? realloc(old, size) : counted(malloc(size));
}

void jb_free(void *memory) {
    if (memory)
        __atomic_sub_fetch(&live, 1, __ATOMIC_SEQ_CST);
    free(memory);
}
