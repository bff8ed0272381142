/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * libzmq calls back, in any thread, when it has no more use for a frame's memory.
 */
#define _GNU_SOURCE
#include "waiting.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "memory.h"

struct jb_waiting {
    _Atomic uint64_t bytes;
    _Atomic uint64_t below; /* for how few somebody waits; 0: nobody does */
    int room_fd;            /* an eventfd, -1 until somebody has waited */
    atomic_int references;
};

struct jb_waiting *jb_waiting_new(void) {
    struct jb_waiting *waiting = jb_calloc(1, sizeof *waiting);
    if (waiting) {
        atomic_store(&waiting->references, 1);
        waiting->room_fd = -1;
    }
    return waiting;
}

void jb_waiting_release(struct jb_waiting *waiting) {
    if (!waiting || atomic_fetch_sub(&waiting->references, 1) > 1)
        return;
    if (waiting->room_fd >= 0)
        close(waiting->room_fd);
    jb_free(waiting);
}

const uint64_t *jb_waiting_bytes(const struct jb_waiting *waiting) {
    return (const uint64_t *)(const void *)&waiting->bytes;
}

/* Tells who waits, once, if there is room. */
static void tell(struct jb_waiting *waiting) {
    uint64_t below = atomic_load(&waiting->below), one = 1;
    if (below == 0 || atomic_load(&waiting->bytes) >= below ||
        atomic_exchange(&waiting->below, 0) == 0)
        return;
    while (write(waiting->room_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void jb_waiting_forget(struct jb_waiting *waiting) {
    uint64_t count;
    if (waiting->room_fd < 0)
        return;
    atomic_store(&waiting->below, 0);
    while (read(waiting->room_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

int jb_waiting_await(struct jb_waiting *waiting, uint64_t below) {
    if (waiting->room_fd < 0)
        waiting->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (waiting->room_fd < 0)
        return -errno;
    jb_waiting_forget(waiting);
    atomic_store(&waiting->below, below);
    tell(waiting); /* what has left meanwhile did not know */
    return waiting->room_fd;
}

/* The memory of a frame that is counted. */
struct counted {
    struct jb_waiting *waiting;
    size_t size;
    char data[];
};

static void has_left(void *data, void *hint) {
    (void)data;
    struct counted *counted = hint;
    atomic_fetch_sub(&counted->waiting->bytes, counted->size);
    tell(counted->waiting);
    jb_waiting_release(counted->waiting);
    jb_free(counted);
}

static int copy_counted(struct jb_waiting *waiting, zmq_msg_t *frame, const void *data,
                        size_t size) {
    struct counted *counted = jb_malloc(sizeof *counted + size);
    if (!counted || zmq_msg_init_data(frame, counted->data, size, has_left, counted) < 0) {
        jb_free(counted);
        return -ENOMEM;
    }
    counted->waiting = waiting;
    counted->size = size;
    memcpy(counted->data, data, size);
    atomic_fetch_add(&waiting->bytes, size);
    atomic_fetch_add(&waiting->references, 1);
    return 0;
}

int jb_waiting_copy(struct jb_waiting *waiting, zmq_msg_t *frame, const void *data, size_t size) {
    if (size >= jb_large_bytes)
        return copy_counted(waiting, frame, data, size);
    if (zmq_msg_init_size(frame, size) < 0)
        return -ENOMEM;
    if (size > 0)
        memcpy(zmq_msg_data(frame), data, size);
    return 0;
}
