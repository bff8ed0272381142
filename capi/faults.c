//go:build faults

/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The trampolines of faults.h. Next: faults.go, and core/internal/socket/memory.h.
 */
#ifndef JB_FAULTS
#define JB_FAULTS
#endif
#include "faults.h"

#include "../core/internal/socket/memory.h"
#include "trampoline.h"

EXPORT int juicebus_fault_broken_handle(int kind, uint64_t *handle) {
    REQUIRE(handle);
    return gojb_fault_broken_handle(kind, handle);
}

EXPORT int juicebus_fault_housekeeping(void) {
    return gojb_fault_housekeeping();
}

EXPORT void juicebus_fault_allow_allocations(int64_t allowed) {
    jb_allow_allocations(allowed);
}

EXPORT int64_t juicebus_fault_live_allocations(void) {
    return jb_live_allocations();
}

EXPORT int64_t juicebus_fault_failed_allocations(void) {
    return jb_failed_allocations();
}
