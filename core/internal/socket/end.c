/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The life of an end: Go holds it until it is closed, and callers in C while they use
 * it or wait on its fd, which must not become a stranger's under a poll.
 */
#include "end.h"

#include "direct.h"
#include "memory.h"

static int poisoned;

int jb_end_poison(void) {
    return __atomic_exchange_n(&poisoned, 1, __ATOMIC_ACQ_REL);
}

int jb_end_is_direct(const struct jb_end *end) {
    return end->direct && !__atomic_load_n(&poisoned, __ATOMIC_ACQUIRE);
}

void jb_end_hold(struct jb_end *end) {
    __atomic_add_fetch(&end->holders, 1, __ATOMIC_RELAXED);
}

void jb_end_release(struct jb_end *end) {
    if (__atomic_sub_fetch(&end->holders, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    jb_ready_close(&end->ready);
    if (end->free_rest)
        end->free_rest(end);
    jb_free(end);
}

int jb_end_ready_fd(const struct jb_end *end) {
    return end->ready.epoll_fd;
}

void jb_use_msgpack(struct jb_end *end) {
    end->msgpack = 1;
}

int jb_uses_msgpack(const struct jb_end *end) {
    return end->msgpack;
}
