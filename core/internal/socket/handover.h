/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#ifndef JB_HANDOVER_H
#define JB_HANDOVER_H

#include <stdint.h>

/* Waits until a monitor says that its socket has stopped, which libzmq says once
 * the closed socket has handed everything to the network or its linger is over.
 * timeout_ms: -1 for ever. Returns 1 if it has, 0 if the time was up. */
int jb_await_stopped(void *monitor, int64_t timeout_ms);

#endif
