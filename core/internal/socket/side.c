/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#define _GNU_SOURCE
#include "side.h"

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

/* Of one connection in a round, before it is the next one's turn: how often it is read,
 * and how many heartbeats are answered. Each answer is a system call, and a flood of them
 * would keep the others waiting; a good peer sends one now and then. */
enum { reads_max = 4, answers_max = 8 };

/* When so many have something, less of each is read at a time. */
enum { many = 16, many_bytes = 8192 };

/* A message that is not whole goes on if so much of it comes in such a time, in ms; and
 * how often that is looked at, while too much is kept. */
enum { unfinished_ms = 1000, unfinished_bytes_min = 65536, unfinished_look_ms = 50 };

/* So many times as much as may be kept is too much, whether it goes on or not. */
enum { far_too_much = 8 };

/* How long it waits until it accepts again, when there is no file descriptor for it. */
enum { no_fd_ms = 100 };

/* In seconds: the silence after which the kernel asks whether a peer is still there, how
 * often, and how many times in vain. Heartbeats of ours would be answered with a reset by
 * a publisher that has sent its last events and gone, and that throws away what has not
 * been read yet; and a subscriber that is busy would count as dead. */
enum { keepalive_idle = 10, keepalive_interval = 1, keepalive_count = 3 };

struct jb_side {
    struct jb_side_options options;
    uint64_t kept_bytes;  /* of all messages that have not come as a whole */
    int64_t kept_look_ms; /* when to look whether those go on */
    int64_t read_ms;      /* when there was a round last, while too much was kept */
    void *welcome;
    int listening, accepts; /* the second tells whether it is in shaking_epoll */
    int64_t accept_ms;      /* when it is again */
    int shaking_epoll;      /* has the connections that shake hands, and listening */
    int open_epoll;         /* has the others, and shaking_epoll */
    struct jb_connection *all, *oldest, *newest;
    int shaking;
    struct epoll_event ready[ready_max]; /* of this round, in open_epoll */
    int ready_count, ready_next, reads, answers;
    struct jb_connection *current; /* whose bytes are in buffer */
    const unsigned char *rest;
    size_t rest_size;
    unsigned char buffer[buffer_bytes];
    struct jb_cut_off cut_offs[jb_cut_reasons];
};

int64_t jb_now_ms(void) {
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

struct jb_side *jb_side_new(int listening, const struct jb_side_options *options) {
    struct jb_side *side = jb_calloc(1, sizeof *side);
    if (!side)
        return NULL;
    side->options = *options;
    side->listening = listening;
    side->accepts = 1;
    side->shaking_epoll = epoll_create1(EPOLL_CLOEXEC);
    side->open_epoll = epoll_create1(EPOLL_CLOEXEC);
    side->welcome = jb_malloc(options->welcome_size);
    if (side->welcome)
        memcpy(side->welcome, options->welcome, options->welcome_size);
    else
        errno = ENOMEM;
    if (!side->welcome || side->shaking_epoll < 0 || side->open_epoll < 0 ||
        add(side->shaking_epoll, listening, NULL) < 0 ||
        add(side->open_epoll, side->shaking_epoll, NULL) < 0) {
        int error = errno;
        jb_side_free(side);
        errno = error;
        return NULL;
    }
    return side;
}

static void leave_shaking(struct jb_side *side, struct jb_connection *c) {
    *(c->older ? &c->older->newer : &side->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &side->newest) = c->older;
    c->older = c->newer = NULL;
    side->shaking--;
}

/* It is shut down and taken out of its epoll, not only closed: a child of fork() may have
 * the file descriptor too. */
void jb_side_end(struct jb_side *side, struct jb_connection *c) {
    if (c->phase != jb_phase_open)
        leave_shaking(side, c);
    *(c->before ? &c->before->behind : &side->all) = c->behind;
    if (c->behind)
        c->behind->before = c->before;
    if (side->current == c) {
        side->current = NULL;
        side->rest_size = 0;
    }
    for (int i = side->ready_next; i < side->ready_count; i++)
        if (side->ready[i].data.ptr == c)
            side->ready[i].data.ptr = NULL;
    if (c->phase == jb_phase_open && side->options.ends)
        side->options.ends(side->options.owner, c);
    jb_connection_drop(c);
    epoll_ctl(side->open_epoll, EPOLL_CTL_DEL, c->fd, NULL);
    epoll_ctl(side->shaking_epoll, EPOLL_CTL_DEL, c->fd, NULL);
    shutdown(c->fd, SHUT_RDWR);
    close(c->fd);
    jb_free(c);
}

void jb_side_free(struct jb_side *side) {
    if (!side)
        return;
    while (side->all)
        jb_side_end(side, side->all);
    close_fd(side->shaking_epoll);
    close_fd(side->open_epoll);
    jb_free(side->welcome);
    jb_free(side);
}

int jb_side_fd(const struct jb_side *side, int hold) {
    return hold ? side->shaking_epoll : side->open_epoll;
}

static int64_t due_ms(const struct jb_side *side) {
    int64_t due = INT64_MAX;
    if (side->kept_bytes > side->options.kept_bytes_max)
        due = side->kept_look_ms;
    if (side->oldest && side->oldest->accepted_ms + side->options.handshake_ms < due)
        due = side->oldest->accepted_ms + side->options.handshake_ms;
    if (!side->accepts && side->accept_ms < due)
        due = side->accept_ms;
    return due;
}

static int is_round_over(const struct jb_side *side) {
    return side->rest_size == 0 && side->ready_next >= side->ready_count;
}

int jb_side_timeout(const struct jb_side *side, int timeout_ms, int hold) {
    if (!hold && !is_round_over(side))
        return 0;
    const int64_t due = due_ms(side);
    if (due == INT64_MAX)
        return timeout_ms;
    const int64_t left = due - jb_now_ms();
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

static void count_cut(struct jb_side *side, enum jb_cut reason,
                      const struct sockaddr_in6 *address) {
    struct jb_cut_off *cut = &side->cut_offs[reason];
    cut->count++;
    write_address(address, cut->address, sizeof cut->address);
}

void jb_side_cut(struct jb_side *side, struct jb_connection *c, enum jb_cut reason) {
    count_cut(side, reason, &c->address);
    jb_side_end(side, c);
}

const struct jb_cut_off *jb_side_cut_offs(const struct jb_side *side) {
    return side->cut_offs;
}

/* Ends a connection for a negative errno of connection.h. */
static void fail(struct jb_side *side, struct jb_connection *c, int rc) {
    switch (rc) {
    case -ECONNRESET:
        jb_side_end(side, c);
        break;
    case -EMSGSIZE:
        jb_side_cut(side, c, jb_cut_frame);
        break;
    case -E2BIG:
        jb_side_cut(side, c, jb_cut_endless);
        break;
    case -EPIPE:
        jb_side_cut(side, c, jb_cut_frozen);
        break;
    case -ENOMEM:
        jb_side_cut(side, c, jb_cut_memory);
        break;
    default:
        jb_side_cut(side, c, jb_cut_protocol);
    }
}

/* A Unix domain socket has none of these, and tells of its end by itself. */
static void set_options(int fd) {
    const int on = 1, idle = keepalive_idle, interval = keepalive_interval, count = keepalive_count;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static struct jb_connection *begin(struct jb_side *side, int fd,
                                   const struct sockaddr_in6 *address) {
    struct jb_connection *c = jb_calloc(1, side->options.connection_size);
    if (!c)
        return NULL;
    c->fd = fd;
    c->role = side->options.peers;
    c->kept_bytes = &side->kept_bytes;
    c->epoll_events = EPOLLIN;
    c->address = *address;
    c->accepted_ms = jb_now_ms();
    c->behind = side->all;
    if (side->all)
        side->all->before = c;
    side->all = c;
    c->older = side->newest;
    *(side->newest ? &side->newest->newer : &side->oldest) = c;
    side->newest = c;
    side->shaking++;
    set_options(fd);
    return c;
}

/* Makes room for a new connection, or lets it go: those that have shaken hands stay. */
static void cut_for(struct jb_side *side, struct jb_connection *new) {
    const int few_fds = new->fd > side->options.fd_max;
    if (few_fds)
        jb_side_cut(side, side->oldest, jb_cut_fds); /* it may be the new one itself */
    else if (side->shaking > side->options.handshakes_max)
        jb_side_cut(side, side->oldest, jb_cut_handshakes);
}

static void accept_one(struct jb_side *side, int fd, const struct sockaddr_in6 *address) {
    struct jb_connection *c = begin(side, fd, address);
    if (!c) {
        count_cut(side, jb_cut_memory, address);
        close(fd);
    } else if (add(side->shaking_epoll, fd, c) < 0) {
        jb_side_cut(side, c, jb_cut_memory);
    } else if (jb_connection_send(c, jb_greeting, jb_greeting_bytes) < 0) {
        jb_side_end(side, c); /* over already */
    } else {
        cut_for(side, c);
    }
}

static void accept_again(struct jb_side *side) {
    if (!side->accepts && jb_now_ms() >= side->accept_ms) {
        side->accepts = add(side->shaking_epoll, side->listening, NULL) == 0;
        side->accept_ms = jb_now_ms() + no_fd_ms;
    }
}

static void accept_all(struct jb_side *side) {
    for (int i = 0; i < accepts_at_once; i++) {
        struct sockaddr_in6 address;
        memset(&address, 0, sizeof address);
        socklen_t size = sizeof address;
        int fd = accept4(side->listening, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(side, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            /* It stays readable: without this, the proxy would not sleep any more. */
            epoll_ctl(side->shaking_epoll, EPOLL_CTL_DEL, side->listening, NULL);
            side->accepts = 0;
            side->accept_ms = jb_now_ms() + no_fd_ms;
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else one that was over before it was accepted */
    }
}

/* Its events come from now on; what it has sent already too. */
static void open_connection(struct jb_side *side, struct jb_connection *c) {
    leave_shaking(side, c);
    if (jb_connection_send(c, side->welcome, side->options.welcome_size) < 0)
        jb_side_end(side, c); /* over already */
    else if (epoll_ctl(side->shaking_epoll, EPOLL_CTL_DEL, c->fd, NULL) < 0 ||
             add(side->open_epoll, c->fd, c) < 0)
        jb_side_cut(side, c, jb_cut_memory);
}

static void shake_hands(struct jb_side *side) {
    struct epoll_event ready[ready_max];
    int come = 0;
    int count = epoll_wait(side->shaking_epoll, ready, ready_max, 0);
    for (int i = 0; i < count; i++) {
        struct jb_connection *c = ready[i].data.ptr;
        if (!c) {
            come = 1;
            continue;
        }
        int rc = jb_connection_shake_hands(c);
        if (rc < 0)
            fail(side, c, rc);
        else if (rc > 0)
            open_connection(side, c);
    }
    if (come) /* last: it may end any of those above */
        accept_all(side);
}

/* Returns whether somebody shakes hands, or comes. */
static int begin_round(struct jb_side *side) {
    int count = epoll_wait(side->open_epoll, side->ready, ready_max, 0);
    side->ready_count = count > 0 ? count : 0;
    side->ready_next = side->reads = side->answers = 0;
    for (int i = 0; i < side->ready_count; i++)
        if (!side->ready[i].data.ptr)
            return 1;
    return 0;
}

static void note_progress(struct jb_connection *c, int64_t now) {
    c->looked_ms = now;
    c->looked_size = c->message.wire_size;
}

/* Whether a message that is not whole has hardly gone on for a while. */
static int is_stuck(struct jb_connection *c, int64_t now) {
    if (c->looked_ms > 0 && now - c->looked_ms < unfinished_ms)
        return 0;
    const uint64_t size = c->message.wire_size;
    if (c->looked_ms > 0 && size >= c->looked_size && size - c->looked_size < unfinished_bytes_min)
        return 1;
    note_progress(c, now);
    return 0;
}

/* While too much is kept of messages that are not whole: ends the largest of those that
 * are stuck, or of all when it is far too much. */
static void cut_unfinished(struct jb_side *side, int64_t now) {
    const int all = side->kept_bytes / far_too_much > side->options.kept_bytes_max;
    struct jb_connection *largest = NULL;
    for (struct jb_connection *c = side->all; c; c = c->behind)
        if (c->kept_capacity > (largest ? largest->kept_capacity : 0) && (all || is_stuck(c, now)))
            largest = c;
    if (largest)
        jb_side_cut(side, largest, jb_cut_unfinished);
}

/* Looks after messages that are not whole, when it is time to. */
static void tend_unfinished(struct jb_side *side, int hold) {
    if (side->kept_bytes <= side->options.kept_bytes_max)
        return;
    const int64_t now = jb_now_ms();
    const int is_due = now >= side->kept_look_ms;
    if (is_due)
        side->kept_look_ms = now + unfinished_look_ms;
    if (hold)
        return;
    if (now - side->read_ms > unfinished_ms / 2) /* what has not been read could not go on */
        for (struct jb_connection *c = side->all; c; c = c->behind)
            note_progress(c, now);
    side->read_ms = now;
    if (is_due)
        cut_unfinished(side, now);
}

void jb_side_tend(struct jb_side *side, int hold) {
    if (hold || !is_round_over(side) || begin_round(side))
        shake_hands(side);
    if (due_ms(side) == INT64_MAX)
        return;
    accept_again(side);
    tend_unfinished(side, hold);
    const int64_t late = jb_now_ms() - side->options.handshake_ms;
    while (side->oldest && side->oldest->accepted_ms <= late)
        jb_side_cut(side, side->oldest, jb_cut_silent);
}

/* Reads once from a connection of the round. Returns whether it is still its turn. */
static int read_once(struct jb_side *side, struct jb_connection *c) {
    struct iovec room[2];
    const int is_many = side->ready_count >= many;
    int count = jb_connection_room(c, room, side->buffer, is_many ? many_bytes : buffer_bytes);
    ssize_t size = readv(c->fd, room, count);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (size <= 0) {
        jb_side_end(side, c);
        return 0;
    }
    size_t bytes = (size_t)size, all = room[0].iov_len + (count > 1 ? room[1].iov_len : 0);
    if (room[0].iov_base != side->buffer) {
        size_t direct = bytes < room[0].iov_len ? bytes : room[0].iov_len;
        jb_connection_filled(c, direct);
        bytes -= direct;
        all -= direct;
    }
    side->current = c;
    side->rest = side->buffer;
    side->rest_size = bytes;
    /* A read that has not filled all has read all there was. */
    return bytes == all && !is_many && ++side->reads < reads_max;
}

/* One that cannot be sent is no reason to end the connection: who has gone has left what
 * is still to be read. That ends by itself. */
static int answer(struct jb_side *side, struct jb_connection *c) {
    if (++side->answers > answers_max)
        return 0;
    if (side->options.answer)
        return side->options.answer(side->options.owner, c);
    int rc = jb_connection_send(c, c->answer, c->answer_size);
    return rc == -EPIPE ? rc : 0;
}

struct jb_connection *jb_side_next(struct jb_side *side) {
    for (;;) {
        struct jb_connection *c = side->current;
        if (c) {
            int rc = jb_connection_take(c, &side->rest, &side->rest_size, &side->options.limits);
            if (rc == jb_message_taken)
                return c;
            if (rc == jb_heartbeat_taken) {
                rc = answer(side, c);
                if (rc == 0)
                    continue;
            }
            if (rc < 0)
                fail(side, c, rc);
            side->current = NULL;
        }
        if (side->ready_next >= side->ready_count)
            return NULL;
        const struct epoll_event *event = &side->ready[side->ready_next];
        if (event->data.ptr && event->events & EPOLLOUT && side->reads == 0)
            side->options.writable(side->options.owner, event->data.ptr); /* it may end */
        c = event->data.ptr;
        if (!c || !(event->events & ~(uint32_t)EPOLLOUT) || !read_once(side, c)) {
            side->ready_next++;
            side->reads = side->answers = 0;
        }
    }
}

void jb_side_await_writable(struct jb_side *side, struct jb_connection *c, int awaited) {
    struct epoll_event event = {.events = awaited ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (event.events != c->epoll_events) {
        c->epoll_events = event.events;
        epoll_ctl(side->open_epoll, EPOLL_CTL_MOD, c->fd, &event);
    }
}

struct jb_connection *jb_side_connections(const struct jb_side *side) {
    return side->all;
}
