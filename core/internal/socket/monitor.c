/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What libzmq tells of a socket's connections, and of a closed publisher's last events:
 * there is no call to wait for those, but the monitor's stop event comes from the
 * destructor of the socket, which runs when its pipes are empty.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "monitor.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "calls.h"

int jb_read_monitor(void *pair, struct jb_monitor_event *events, int capacity) {
    int count = 0;
    while (count < capacity) {
        int first = 1, more = 1;
        while (more) { /* the event and its value, then the address */
            zmq_msg_t frame;
            zmq_msg_init(&frame);
            int rc = jb_receive_frame(pair, &frame);
            if (rc < 0) {
                zmq_msg_close(&frame);
                return rc == -EAGAIN ? count : rc;
            }
            uint16_t kind = 0;
            if (first && zmq_msg_size(&frame) == sizeof kind + sizeof events->value) {
                const char *data = zmq_msg_data(&frame);
                memcpy(&kind, data, sizeof kind);
                memcpy(&events[count].value, data + sizeof kind, sizeof events->value);
                events[count++].kind = kind;
            }
            first = 0;
            more = zmq_msg_more(&frame);
            zmq_msg_close(&frame);
        }
    }
    return count;
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int jb_await_stopped(void *pair, int64_t timeout_ms) {
    int64_t end = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
    for (;;) {
        int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
        if (timeout_ms >= 0 && left < 0)
            left = 0;
        zmq_pollitem_t item = {pair, 0, ZMQ_POLLIN, 0};
        int rc = zmq_poll(&item, 1, (long)left);
        struct jb_monitor_event event;
        while (rc > 0 && jb_read_monitor(pair, &event, 1) == 1)
            if (event.kind == ZMQ_EVENT_MONITOR_STOPPED)
                return 1;
        if ((rc < 0 && errno != EINTR) || (rc == 0 && left == 0))
            return 0;
    }
}
