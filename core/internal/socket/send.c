/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Sends events over an XPUB socket in one crossing. Called under the lock of the
 * publisher that owns the socket; next: the proxy's forward.c.
 */
#include "send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static int send_frame(void *socket, zmq_msg_t *frame, int flags) {
    while (zmq_msg_send(frame, socket, flags | ZMQ_DONTWAIT) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* libzmq looks at its commands only now and then while it sends; asking for the
 * events makes it look at once. Without it a full socket stays full to us. */
static void process_commands(void *socket) {
    int events;
    size_t size = sizeof events;
    (void)zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
}

/* All frames exist before the first is sent: an event is never cut in half. */
static int send_event(void *socket, const struct jb_part *parts, size_t count) {
    zmq_msg_t on_stack[8];
    zmq_msg_t *frames = count <= 8 ? on_stack : malloc(count * sizeof *frames);
    if (!frames)
        return -ENOMEM;
    size_t made = 0, sent = 0;
    int rc = 0;
    for (; made < count; made++) {
        if (zmq_msg_init_size(&frames[made], parts[made].size) < 0) {
            rc = -ENOMEM;
            break;
        }
        if (parts[made].size > 0)
            memcpy(zmq_msg_data(&frames[made]), (const void *)parts[made].data, parts[made].size);
    }
    for (; rc == 0 && sent < count; sent += rc == 0) {
        int flags = sent + 1 < count ? ZMQ_SNDMORE : 0;
        rc = send_frame(socket, &frames[sent], flags);
        if (rc == -EAGAIN && sent == 0) {
            process_commands(socket);
            rc = send_frame(socket, &frames[sent], flags);
        }
    }
    while (made-- > 0)
        zmq_msg_close(&frames[made]);
    if (frames != on_stack)
        free(frames);
    return rc;
}

int jb_send(void *socket, const struct jb_part *parts, size_t count, size_t *sent) {
    *sent = 0;
    for (size_t first = 0; first < count;) {
        size_t size = 1;
        while (!parts[first + size - 1].last)
            size++;
        int rc = send_event(socket, parts + first, size);
        if (rc != 0)
            return rc;
        first += size;
        ++*sent;
    }
    return 0;
}

int jb_send_one(void *socket, const void *key, size_t key_size, const void *payload,
                size_t payload_size) {
    struct jb_part parts[] = {{(uintptr_t)key, key_size, 0}, {(uintptr_t)payload, payload_size, 1}};
    return send_event(socket, parts, 2);
}

int jb_read_subscriptions(void *socket, int *failed) {
    int net = 0;
    *failed = 0;
    for (;;) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
            int error = errno;
            zmq_msg_close(&frame);
            if (error == EINTR)
                continue;
            if (error != EAGAIN)
                *failed = error;
            return net;
        }
        if (zmq_msg_size(&frame) > 0) {
            unsigned char kind = *(unsigned char *)zmq_msg_data(&frame);
            net += kind == 1 ? 1 : kind == 0 ? -1 : 0;
        }
        zmq_msg_close(&frame);
    }
}
