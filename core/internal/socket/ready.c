/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The ready fd's system calls; ready.h has the rule. Next: wait.go for Go
 * callers, the trampolines of capi for C callers.
 */
#define _GNU_SOURCE
#include "ready.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int watch(int epoll_fd, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* An eventfd that is always readable, and never closed. An epoll set lets go of
 * a file that is closed; so a duplicate that outlives its Ready would fall silent
 * if the mark were all that keeps it readable. */
static int always_fd = -1;

static void open_always(void) {
    always_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int always(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_always);
    return always_fd;
}

int jb_ready_open(struct jb_ready *ready, int socket_fd) {
    *ready = (struct jb_ready){.epoll_fd = -1, .mark_fd = -1, .also_fd = -1};
    if (always() < 0)
        return -EMFILE;
    ready->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (ready->epoll_fd < 0)
        return -errno;
    ready->mark_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ready->mark_fd < 0 || watch(ready->epoll_fd, ready->mark_fd) < 0 ||
        (socket_fd >= 0 && watch(ready->epoll_fd, socket_fd) < 0)) {
        int rc = -errno;
        jb_ready_close(ready);
        return rc;
    }
    return 0;
}

void jb_ready_set(struct jb_ready *ready) {
    if (ready->marked || ready->final)
        return;
    uint64_t one = 1;
    while (write(ready->mark_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    ready->marked = 1;
}

void jb_ready_clear(struct jb_ready *ready) {
    if (!ready->marked || ready->final)
        return;
    uint64_t count;
    while (read(ready->mark_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    ready->marked = 0;
}

int jb_ready_also(struct jb_ready *ready, int fd) {
    if (ready->also_fd >= 0 || ready->final)
        return 0;
    if (watch(ready->epoll_fd, fd) < 0)
        return -errno;
    ready->also_fd = fd;
    return 0;
}

void jb_ready_finish(struct jb_ready *ready, int socket_fd) {
    if (socket_fd >= 0)
        epoll_ctl(ready->epoll_fd, EPOLL_CTL_DEL, socket_fd, NULL);
    watch(ready->epoll_fd, always());
    ready->final = 1;
}

void jb_ready_close(struct jb_ready *ready) {
    if (ready->mark_fd >= 0)
        close(ready->mark_fd);
    if (ready->epoll_fd >= 0)
        close(ready->epoll_fd);
    ready->epoll_fd = ready->mark_fd = -1;
}

int jb_ready_dup(const struct jb_ready *ready) {
    int fd = fcntl(ready->epoll_fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}
