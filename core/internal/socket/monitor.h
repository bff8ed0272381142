/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#ifndef JB_MONITOR_H
#define JB_MONITOR_H

#include <stdint.h>

struct jb_monitor_event {
    int32_t kind;  /* ZMQ_EVENT_… */
    int32_t value; /* mostly a file descriptor */
};

/* Reads what a monitor's PAIR holds, without waiting. Returns how many events it has
 * written, or a negative errno. */
int jb_read_monitor(void *pair, struct jb_monitor_event *events, int capacity);

/* Waits until a monitor says that its socket has stopped, which libzmq says once
 * the closed socket has handed everything to the network or its linger is over.
 * timeout_ms: -1 for ever. Returns 1 if it has, 0 if the time was up. */
int jb_await_stopped(void *pair, int64_t timeout_ms);

#endif
