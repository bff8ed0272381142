/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The memory of this library's own C code. These are the C library's functions;
 * in a build for the fault tests (-tags faults) they count, and fail when told to.
 */
#ifndef JB_MEMORY_H
#define JB_MEMORY_H

#include <stdint.h>
#include <stdlib.h>

#ifdef JB_FAULTS

void *jb_malloc(size_t size);
void *jb_calloc(size_t count, size_t size);
void *jb_realloc(void *old, size_t size);
void jb_free(void *memory);

/* From now on `allowed` allocations succeed and all others fail; negative: none does. */
void jb_allow_allocations(int64_t allowed);

/* What has been allocated and not freed, and how often an allocation failed. */
int64_t jb_live_allocations(void);
int64_t jb_failed_allocations(void);

#else

static inline void *jb_malloc(size_t size) {
    return malloc(size);
}

static inline void *jb_calloc(size_t count, size_t size) {
    return calloc(count, size);
}

static inline void *jb_realloc(void *old, size_t size) {
    return realloc(old, size);
}

static inline void jb_free(void *memory) {
    free(memory);
}

#endif

#endif
