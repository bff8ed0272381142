/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * One side of the proxy: a listening socket and its connections, which speak ZMTP here
 * and not in libzmq. A libzmq socket has to be read without a bound: if a connection
 * breaks while a bound kept libzmq from reading it, and a heartbeat is among what it had
 * read, libzmq 4.3 ends the process by an assertion (libzmq#4364). So it has nothing to
 * hold a peer back with. Here, what is not read yet waits in the kernel, and of each
 * connection one message at most is in memory.
 *
 * Not for several threads at once. Next: connection.h for one of them; forward.c, which
 * takes from the publishers' side, and outbound.h, which is the subscribers'.
 */
#ifndef JB_SIDE_H
#define JB_SIDE_H

#include <stdint.h>

#include "connection.h"

/* Why connections are cut off. */
enum jb_cut {
    jb_cut_protocol,   /* what comes is no ZMTP 3, or not from such a peer */
    jb_cut_silent,     /* no handshake in time */
    jb_cut_handshakes, /* too many have not made theirs */
    jb_cut_fds,        /* too few file descriptors are left */
    jb_cut_frame,      /* a frame over the limit */
    jb_cut_endless,    /* a message over the limit that does not end */
    jb_cut_unfinished, /* one that does not go on, while too many are not whole */
    jb_cut_filters,    /* more subscriptions than one may have */
    jb_cut_frozen,     /* it takes nothing of what waits for it */
    jb_cut_slow,       /* too much waits for it */
    jb_cut_memory,     /* there is none for it */
    jb_cut_reasons
};

struct jb_cut_off {
    uint64_t count;
    char address[64]; /* of the last one; empty if it has none */
};

struct jb_side_options {
    enum jb_role peers;
    struct jb_limits limits;          /* of a message */
    uint64_t kept_bytes_max;          /* of all messages that have not come as a whole */
    int handshakes_max, handshake_ms; /* for how many, and how long, at most */
    int fd_max;                       /* the highest file descriptor of a connection */
    const void *welcome;              /* what each peer is sent first, as it is on the wire */
    size_t welcome_size;
    size_t connection_size; /* of a struct that begins with a jb_connection; the rest is 0 */
    void *owner;
    /* Sends the answer to a heartbeat, or returns a negative errno of
     * jb_connection_send; NULL: at once, as nothing else is sent. */
    int (*answer)(void *owner, struct jb_connection *c);
    /* A connection can be written to again; NULL: nobody waits for that. */
    void (*writable)(void *owner, struct jb_connection *c);
    /* One that was open ends, and its memory with it; NULL: nobody needs to know. */
    void (*ends)(void *owner, struct jb_connection *c);
};

struct jb_side;

/* Takes what comes to a listening socket, which is the caller's and does not block.
 * Copies the options. NULL: errno says why. */
struct jb_side *jb_side_new(int listening, const struct jb_side_options *options);
void jb_side_free(struct jb_side *side);

/* What becomes readable when there is something to take; with hold, only when there is
 * something to tend. */
int jb_side_fd(const struct jb_side *side, int hold);

/* In how many ms, at most timeout_ms (negative: for ever), there is something to take or
 * to tend all the same. */
int jb_side_timeout(const struct jb_side *side, int timeout_ms, int hold);

/* Accepts connections and makes handshakes, and begins a round: of each connection that
 * has something, jb_side_next takes what is there now. With hold, there is no round. */
void jb_side_tend(struct jb_side *side, int hold);

/* Whose message is the next whole one of the round, valid until the next call; NULL:
 * none is left. */
struct jb_connection *jb_side_next(struct jb_side *side);

/* Has `writable` called, or not any more. */
void jb_side_await_writable(struct jb_side *side, struct jb_connection *c, int awaited);

/* Ends a connection, for a reason, or because it is over. */
void jb_side_cut(struct jb_side *side, struct jb_connection *c, enum jb_cut reason);
void jb_side_end(struct jb_side *side, struct jb_connection *c);

/* All connections, linked by `behind`. */
struct jb_connection *jb_side_connections(const struct jb_side *side);

/* What has been cut off so far, by its reason. */
const struct jb_cut_off *jb_side_cut_offs(const struct jb_side *side);

int64_t jb_now_ms(void);

#endif
