/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The proxy's side towards publishers: a listening socket and its connections, which
 * speak ZMTP here and not in libzmq. A libzmq socket has to be read without a bound: if
 * a connection breaks while a bound kept libzmq from reading it, and a heartbeat is
 * among what it had read, libzmq 4.3 ends the process by an assertion (libzmq#4364). So
 * it has nothing to hold a publisher back with. Here, what is not read yet waits in the
 * kernel, and of each connection one message at most is in memory.
 *
 * Not for several threads at once. Next: connection.h for one of them, forward.c.
 */
#ifndef JB_INBOUND_H
#define JB_INBOUND_H

#include <stdint.h>

#include "connection.h"

/* Why connections are cut off. */
enum jb_cut {
    jb_cut_protocol,   /* what comes is no ZMTP 3, or not from a publisher */
    jb_cut_silent,     /* no handshake in time */
    jb_cut_handshakes, /* too many have not made theirs */
    jb_cut_fds,        /* too few file descriptors are left */
    jb_cut_frame,      /* a frame over the limit */
    jb_cut_endless,    /* a message over the limit that does not end */
    jb_cut_deaf,       /* it does not read the answers to its heartbeats */
    jb_cut_memory,     /* there is none for it */
    jb_cut_reasons
};

struct jb_cut_off {
    uint64_t count;
    char address[64]; /* of the last one; empty if it has none */
};

struct jb_inbound_options {
    size_t event_bytes_max;
    int handshakes_max, handshake_ms; /* for how many, and how long, at most */
    int fd_max;                       /* the highest file descriptor of a connection */
    const void *subscriptions;        /* what each publisher is sent, as bytes on the wire */
    size_t subscriptions_size;
};

struct jb_inbound;

/* Takes what comes to a listening socket, which is the caller's and does not block.
 * Copies the options. NULL: errno says why. */
struct jb_inbound *jb_inbound_new(int listening, const struct jb_inbound_options *options);
void jb_inbound_free(struct jb_inbound *in);

/* What becomes readable when there is something to take; with hold, only when there is
 * something to tend. */
int jb_inbound_fd(const struct jb_inbound *in, int hold);

/* In how many ms, at most timeout_ms (negative: for ever), there is something to take or
 * to tend all the same. */
int jb_inbound_timeout(const struct jb_inbound *in, int timeout_ms, int hold);

/* Accepts connections and makes handshakes, and begins a round: of each connection that
 * has something, jb_inbound_next takes what is there now. With hold, there is no round. */
void jb_inbound_tend(struct jb_inbound *in, int hold);

/* The next whole message of the round, valid until the next call; NULL: none is left. */
struct jb_message *jb_inbound_next(struct jb_inbound *in);

/* What has been cut off so far, by its reason. */
const struct jb_cut_off *jb_inbound_cut_offs(const struct jb_inbound *in);

#endif
