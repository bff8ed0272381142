/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The calls of calls.h, for take.c, send.c, forward.c and monitor.c.
 */
#include "calls.h"

#include <errno.h>

int jb_is_reserved(const void *key, size_t size) {
    return size > 0 && *(const unsigned char *)key == 0xff;
}

int jb_receive_frame(void *socket, zmq_msg_t *frame) {
    while (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int jb_receive_bytes(void *socket, void *buffer, size_t capacity) {
    int size;
    while ((size = zmq_recv(socket, buffer, capacity, ZMQ_DONTWAIT)) < 0)
        if (errno != EINTR)
            return -errno;
    return (size_t)size < capacity ? size : (int)capacity;
}

int jb_events(void *socket) {
    int events = 0;
    size_t size = sizeof events;
    while (zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) < 0)
        if (errno != EINTR)
            return -errno;
    return events;
}

static int try_send(void *socket, zmq_msg_t *frame, int flags) {
    while (zmq_msg_send(frame, socket, flags | ZMQ_DONTWAIT) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

int jb_send_frame(void *socket, zmq_msg_t *frame, int flags) {
    int rc = try_send(socket, frame, flags);
    if (rc == -EAGAIN && jb_events(socket) >= 0)
        rc = try_send(socket, frame, flags);
    return rc;
}
