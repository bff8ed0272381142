/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Defects on purpose: what the library exports besides juicebus.h when it is built
 * for the fault tests (-tags faults). No other build has any of it.
 */
#ifndef JUICEBUS_FAULTS_H
#define JUICEBUS_FAULTS_H

#include "../include/juicebus.h"

#ifdef __cplusplus
extern "C" {
#endif

#define JUICEBUS_FAULT_PUBLISHER 1
#define JUICEBUS_FAULT_SUBSCRIBER 2
#define JUICEBUS_FAULT_PROXY 3

/* A handle with nothing behind it: whatever is done with it panics. */
int juicebus_fault_broken_handle(int kind, uint64_t *handle);

/* The goroutine that serves every handle panics in its next round. */
int juicebus_fault_housekeeping(void);

/* From now on `allowed` allocations of the library's C code succeed and all others
 * fail; negative: none does. */
void juicebus_fault_allow_allocations(int64_t allowed);

/* Allocations that have not been freed, and those that failed since the last
 * juicebus_fault_allow_allocations. */
int64_t juicebus_fault_live_allocations(void);
int64_t juicebus_fault_failed_allocations(void);

/* Private: from the trampolines to faults.go. */
int gojb_fault_broken_handle(int kind, uint64_t *handle);
int gojb_fault_housekeeping(void);

#ifdef __cplusplus
}
#endif

#endif
