/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#define _GNU_SOURCE
#include "inbound.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

enum { buffer_bytes = 65536, ready_max = 64, accepts_at_once = 64 };

/* Of one connection in a round, before it is the next one's turn. */
enum { reads_max = 4 };

/* How long it waits until it accepts again, when there is no file descriptor for it. */
enum { no_fd_ms = 100 };

/* In seconds: the silence after which the kernel asks whether a publisher is still there,
 * how often, and how many times in vain. A publisher's own heartbeats would not tell: it
 * may have sent its last events and gone before they are read. */
enum { keepalive_idle = 10, keepalive_interval = 1, keepalive_count = 3 };

struct jb_inbound {
    struct jb_inbound_options options;
    void *subscriptions;
    int listening, accepts; /* the second tells whether it is in shaking_epoll */
    int64_t accept_ms;      /* when it is again */
    int shaking_epoll;      /* has the connections that shake hands, and listening */
    int open_epoll;         /* has the others, and shaking_epoll */
    struct jb_connection *all, *oldest, *newest;
    int shaking;
    struct epoll_event ready[ready_max]; /* of this round, in open_epoll */
    int ready_count, ready_next, reads;
    struct jb_connection *current; /* whose bytes are in buffer */
    const unsigned char *rest;
    size_t rest_size;
    unsigned char buffer[buffer_bytes];
    struct jb_cut_off cut_offs[jb_cut_reasons];
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int add(int epoll, int fd, void *data) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

struct jb_inbound *jb_inbound_new(int listening, const struct jb_inbound_options *options) {
    struct jb_inbound *in = jb_calloc(1, sizeof *in);
    if (!in)
        return NULL;
    in->options = *options;
    in->listening = listening;
    in->accepts = 1;
    in->shaking_epoll = epoll_create1(EPOLL_CLOEXEC);
    in->open_epoll = epoll_create1(EPOLL_CLOEXEC);
    in->subscriptions = jb_malloc(options->subscriptions_size);
    if (in->subscriptions)
        memcpy(in->subscriptions, options->subscriptions, options->subscriptions_size);
    else
        errno = ENOMEM;
    if (!in->subscriptions || in->shaking_epoll < 0 || in->open_epoll < 0 ||
        add(in->shaking_epoll, listening, NULL) < 0 ||
        add(in->open_epoll, in->shaking_epoll, NULL) < 0) {
        int error = errno;
        jb_inbound_free(in);
        errno = error;
        return NULL;
    }
    return in;
}

static void leave_shaking(struct jb_inbound *in, struct jb_connection *c) {
    *(c->older ? &c->older->newer : &in->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &in->newest) = c->older;
    c->older = c->newer = NULL;
    in->shaking--;
}

/* Closing takes it out of its epoll. */
static void end(struct jb_inbound *in, struct jb_connection *c) {
    if (c->phase != jb_phase_open)
        leave_shaking(in, c);
    *(c->before ? &c->before->behind : &in->all) = c->behind;
    if (c->behind)
        c->behind->before = c->before;
    if (in->current == c) {
        in->current = NULL;
        in->rest_size = 0;
    }
    for (int i = in->ready_next; i < in->ready_count; i++)
        if (in->ready[i].data.ptr == c)
            in->ready[i].data.ptr = NULL;
    if (c->in_body && c->head.command)
        zmq_msg_close(&c->command);
    jb_message_free(&c->message);
    close(c->fd);
    jb_free(c);
}

void jb_inbound_free(struct jb_inbound *in) {
    if (!in)
        return;
    while (in->all)
        end(in, in->all);
    close_fd(in->shaking_epoll);
    close_fd(in->open_epoll);
    jb_free(in->subscriptions);
    jb_free(in);
}

int jb_inbound_fd(const struct jb_inbound *in, int hold) {
    return hold ? in->shaking_epoll : in->open_epoll;
}

static int64_t due_ms(const struct jb_inbound *in) {
    int64_t due = INT64_MAX;
    if (in->oldest)
        due = in->oldest->accepted_ms + in->options.handshake_ms;
    if (!in->accepts && in->accept_ms < due)
        due = in->accept_ms;
    return due;
}

static int is_round_over(const struct jb_inbound *in) {
    return in->rest_size == 0 && in->ready_next >= in->ready_count;
}

int jb_inbound_timeout(const struct jb_inbound *in, int timeout_ms, int hold) {
    if (!hold && !is_round_over(in))
        return 0;
    const int64_t due = due_ms(in);
    if (due == INT64_MAX)
        return timeout_ms;
    const int64_t left = due - now_ms();
    if (left <= 0)
        return 0;
    return timeout_ms >= 0 && timeout_ms < left ? timeout_ms : (int)left;
}

static void write_address(const struct sockaddr_in6 *address, char *to, size_t size) {
    char host[INET6_ADDRSTRLEN];
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)address;
    to[0] = 0;
    if (address->sin6_family == AF_INET && inet_ntop(AF_INET, &in4->sin_addr, host, sizeof host))
        snprintf(to, size, "%s:%d", host, ntohs(in4->sin_port));
    if (address->sin6_family == AF_INET6 &&
        inet_ntop(AF_INET6, &address->sin6_addr, host, sizeof host))
        snprintf(to, size, "[%s]:%d", host, ntohs(address->sin6_port));
}

static void count_cut(struct jb_inbound *in, enum jb_cut reason,
                      const struct sockaddr_in6 *address) {
    struct jb_cut_off *cut = &in->cut_offs[reason];
    cut->count++;
    write_address(address, cut->address, sizeof cut->address);
}

static void cut(struct jb_inbound *in, struct jb_connection *c, enum jb_cut reason) {
    count_cut(in, reason, &c->address);
    end(in, c);
}

const struct jb_cut_off *jb_inbound_cut_offs(const struct jb_inbound *in) {
    return in->cut_offs;
}

/* Ends a connection for a negative errno of connection.h. */
static void fail(struct jb_inbound *in, struct jb_connection *c, int rc) {
    switch (rc) {
    case -ECONNRESET:
        end(in, c);
        break;
    case -EMSGSIZE:
        cut(in, c, c->phase == jb_phase_open ? jb_cut_frame : jb_cut_protocol);
        break;
    case -E2BIG:
        cut(in, c, jb_cut_endless);
        break;
    case -ENOBUFS:
        cut(in, c, jb_cut_deaf);
        break;
    case -ENOMEM:
        cut(in, c, jb_cut_memory);
        break;
    default:
        cut(in, c, jb_cut_protocol);
    }
}

/* A Unix domain socket has none of these, and tells of its end by itself. */
static void keep_alive(int fd) {
    const int on = 1, idle = keepalive_idle, interval = keepalive_interval, count = keepalive_count;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static struct jb_connection *begin(struct jb_inbound *in, int fd,
                                   const struct sockaddr_in6 *address) {
    struct jb_connection *c = jb_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->fd = fd;
    c->address = *address;
    c->accepted_ms = now_ms();
    jb_message_init(&c->message);
    c->behind = in->all;
    if (in->all)
        in->all->before = c;
    in->all = c;
    c->older = in->newest;
    *(in->newest ? &in->newest->newer : &in->oldest) = c;
    in->newest = c;
    in->shaking++;
    keep_alive(fd);
    return c;
}

/* Makes room for a new connection, or lets it go: those that have shaken hands stay. */
static void cut_for(struct jb_inbound *in, struct jb_connection *new) {
    const int few_fds = new->fd > in->options.fd_max;
    if (few_fds)
        cut(in, in->oldest, jb_cut_fds); /* it may be the new one itself */
    else if (in->shaking > in->options.handshakes_max)
        cut(in, in->oldest, jb_cut_handshakes);
}

static void accept_one(struct jb_inbound *in, int fd, const struct sockaddr_in6 *address) {
    struct jb_connection *c = begin(in, fd, address);
    if (!c) {
        count_cut(in, jb_cut_memory, address);
        close(fd);
    } else if (add(in->shaking_epoll, fd, c) < 0) {
        cut(in, c, jb_cut_memory);
    } else if (jb_connection_send(c, jb_greeting, jb_greeting_bytes) < 0) {
        end(in, c); /* over already */
    } else {
        cut_for(in, c);
    }
}

static void accept_again(struct jb_inbound *in) {
    if (!in->accepts && now_ms() >= in->accept_ms) {
        in->accepts = add(in->shaking_epoll, in->listening, NULL) == 0;
        in->accept_ms = now_ms() + no_fd_ms;
    }
}

static void accept_all(struct jb_inbound *in) {
    for (int i = 0; i < accepts_at_once; i++) {
        struct sockaddr_in6 address;
        memset(&address, 0, sizeof address);
        socklen_t size = sizeof address;
        int fd = accept4(in->listening, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(in, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            /* It stays readable: without this, the proxy would not sleep any more. */
            epoll_ctl(in->shaking_epoll, EPOLL_CTL_DEL, in->listening, NULL);
            in->accepts = 0;
            in->accept_ms = now_ms() + no_fd_ms;
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else one that was over before it was accepted */
    }
}

/* Its events come from now on; what it has sent already too. */
static void open_connection(struct jb_inbound *in, struct jb_connection *c) {
    leave_shaking(in, c);
    if (jb_connection_send(c, in->subscriptions, in->options.subscriptions_size) < 0)
        end(in, c); /* over already */
    else if (epoll_ctl(in->shaking_epoll, EPOLL_CTL_DEL, c->fd, NULL) < 0 ||
             add(in->open_epoll, c->fd, c) < 0)
        cut(in, c, jb_cut_memory);
}

static void shake_hands(struct jb_inbound *in) {
    struct epoll_event ready[ready_max];
    int come = 0;
    int count = epoll_wait(in->shaking_epoll, ready, ready_max, 0);
    for (int i = 0; i < count; i++) {
        struct jb_connection *c = ready[i].data.ptr;
        if (!c) {
            come = 1;
            continue;
        }
        int rc = jb_connection_shake_hands(c);
        if (rc < 0)
            fail(in, c, rc);
        else if (rc > 0)
            open_connection(in, c);
    }
    if (come) /* last: it may end any of those above */
        accept_all(in);
}

/* Returns whether somebody shakes hands, or comes. */
static int begin_round(struct jb_inbound *in) {
    int count = epoll_wait(in->open_epoll, in->ready, ready_max, 0);
    in->ready_count = count > 0 ? count : 0;
    in->ready_next = in->reads = 0;
    for (int i = 0; i < in->ready_count; i++)
        if (!in->ready[i].data.ptr)
            return 1;
    return 0;
}

void jb_inbound_tend(struct jb_inbound *in, int hold) {
    if (hold || (is_round_over(in) && begin_round(in)))
        shake_hands(in);
    if (due_ms(in) == INT64_MAX)
        return;
    accept_again(in);
    const int64_t late = now_ms() - in->options.handshake_ms;
    while (in->oldest && in->oldest->accepted_ms <= late)
        cut(in, in->oldest, jb_cut_silent);
}

/* Reads once from a connection of the round. Returns whether it is still its turn. */
static int read_once(struct jb_inbound *in, struct jb_connection *c) {
    struct iovec room[2];
    int count = jb_connection_room(c, room, in->buffer, buffer_bytes);
    ssize_t size = readv(c->fd, room, count);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (size <= 0) {
        end(in, c);
        return 0;
    }
    size_t bytes = (size_t)size, all = room[0].iov_len + (count > 1 ? room[1].iov_len : 0);
    if (room[0].iov_base != in->buffer) {
        size_t direct = bytes < room[0].iov_len ? bytes : room[0].iov_len;
        jb_connection_filled(c, direct);
        bytes -= direct;
        all -= direct;
    }
    in->current = c;
    in->rest = in->buffer;
    in->rest_size = bytes;
    /* A read that has not filled all has read all there was. */
    return bytes == all && ++in->reads < reads_max;
}

struct jb_message *jb_inbound_next(struct jb_inbound *in) {
    for (;;) {
        struct jb_connection *c = in->current;
        if (c) {
            int rc = jb_connection_take(c, &in->rest, &in->rest_size, in->options.event_bytes_max);
            if (rc > 0)
                return &c->message;
            if (rc < 0)
                fail(in, c, rc);
            in->current = NULL;
        }
        if (in->ready_next >= in->ready_count)
            return NULL;
        c = in->ready[in->ready_next].data.ptr;
        if (!c || !read_once(in, c)) {
            in->ready_next++;
            in->reads = 0;
        }
    }
}
