/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The ready fd: an epoll fd that holds a socket's ZMQ_FD and an eventfd of ours,
 * the mark. ZMQ_FD alone is edge-triggered: after any call on the socket, events
 * can wait while it is silent. The rule that makes the pair level-triggered:
 * whoever leaves something behind sets the mark, whoever finds nothing clears
 * it; a closed handle is readable for good.
 *
 * All calls are made under the lock of the socket's owner.
 */
#ifndef JB_READY_H
#define JB_READY_H

struct jb_ready {
    int epoll_fd;
    int mark_fd;
    int marked;
    int also_fd; /* -1, or what makes it readable too */
    int final;   /* closed: readable for good, also in duplicates */
};

/* Returns 0 or a negative errno. socket_fd may be -1: then there is only the mark. */
int jb_ready_open(struct jb_ready *ready, int socket_fd);
void jb_ready_set(struct jb_ready *ready);
void jb_ready_clear(struct jb_ready *ready);

/* Has another file descriptor, always the same, make it readable too. Returns 0 or a
 * negative errno. */
int jb_ready_also(struct jb_ready *ready, int fd);

/* Makes it readable for good and lets go of the socket's fd, which is about to close. */
void jb_ready_finish(struct jb_ready *ready, int socket_fd);
void jb_ready_close(struct jb_ready *ready);

/* A duplicate for somebody else to close, or a negative errno. */
int jb_ready_dup(const struct jb_ready *ready);

#endif
