/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Sends events over an XPUB socket in one crossing. Called under the lock of the
 * publisher that owns the socket; next: the proxy's forward.c.
 */
#include "send.h"

#include <errno.h>

#include "calls.h"
#include "memory.h"

/* All frames exist before the first is sent: an event is never cut in half. */
static int send_event(void *socket, struct jb_waiting *waiting, const struct jb_part *parts,
                      size_t count, const char **copies) {
    zmq_msg_t on_stack[8];
    zmq_msg_t *frames = count <= 8 ? on_stack : jb_malloc(count * sizeof *frames);
    if (!frames)
        return -ENOMEM;
    size_t made = 0, sent = 0;
    int rc = 0;
    for (; made < count; made++) {
        const void *data = (const void *)parts[made].data;
        if (!data) {
            data = *copies;
            *copies += parts[made].size;
        }
        rc = jb_waiting_copy(waiting, &frames[made], data, parts[made].size);
        if (rc != 0)
            break;
    }
    for (; rc == 0 && sent < count; sent += rc == 0)
        rc = jb_send_frame(socket, &frames[sent], sent + 1 < count ? ZMQ_SNDMORE : 0);
    while (made-- > 0)
        zmq_msg_close(&frames[made]);
    if (frames != on_stack)
        jb_free(frames);
    return rc;
}

int jb_send(void *socket, struct jb_waiting *waiting, const struct jb_part *parts, size_t count,
            const void *copies, size_t *sent) {
    const char *copy = copies;
    *sent = 0;
    for (size_t first = 0; first < count;) {
        size_t size = 1;
        while (!parts[first + size - 1].last)
            size++;
        int rc = send_event(socket, waiting, parts + first, size, &copy);
        if (rc != 0)
            return rc;
        first += size;
        ++*sent;
    }
    return 0;
}

int jb_send_one(void *socket, struct jb_waiting *waiting, const void *key, size_t key_size,
                const void *payload, size_t payload_size) {
    struct jb_part parts[] = {{(uintptr_t)key, key_size, 0}, {(uintptr_t)payload, payload_size, 1}};
    return send_event(socket, waiting, parts, 2, NULL);
}
