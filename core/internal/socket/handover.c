/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Waiting for a closed publisher's last events. libzmq offers no call for that;
 * but the monitor's stop event comes from the destructor of the socket, which
 * runs when its pipes are empty.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "handover.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "calls.h"

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads one monitor event: its kind in the first two bytes, then the address. */
static int is_stop(void *monitor) {
    int stop = 0, more = 1;
    for (int first = 1; more; first = 0) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (jb_receive_frame(monitor, &frame) < 0) {
            zmq_msg_close(&frame);
            return stop;
        }
        uint16_t kind = 0;
        if (first && zmq_msg_size(&frame) >= sizeof kind)
            memcpy(&kind, zmq_msg_data(&frame), sizeof kind);
        stop |= kind == ZMQ_EVENT_MONITOR_STOPPED;
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    return stop;
}

int jb_await_stopped(void *monitor, int64_t timeout_ms) {
    int64_t end = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
    for (;;) {
        int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
        if (timeout_ms >= 0 && left < 0)
            left = 0;
        zmq_pollitem_t item = {monitor, 0, ZMQ_POLLIN, 0};
        int rc = zmq_poll(&item, 1, (long)left);
        if (rc > 0 && is_stop(monitor))
            return 1;
        if ((rc < 0 && errno != EINTR) || (rc == 0 && left == 0))
            return 0;
    }
}
