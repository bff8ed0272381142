/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * One publisher's connection to the proxy: its handshake, then its messages, put together
 * from what comes. Comes from inbound.c.
 */
#ifndef JB_CONNECTION_H
#define JB_CONNECTION_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "message.h"
#include "zmtp.h"

enum jb_phase { jb_phase_greeting, jb_phase_ready, jb_phase_open };

struct jb_connection {
    int fd;
    enum jb_phase phase;
    unsigned char start[jb_greeting_bytes]; /* of a greeting, or of a head, that is not whole */
    size_t start_size;
    int in_body; /* of a frame; else between frames */
    struct jb_head head;
    uint64_t got;    /* of the body */
    zmq_msg_t *body; /* NULL: it is not kept */
    zmq_msg_t command;
    struct jb_message message;
    struct sockaddr_in6 address;           /* or a sockaddr_in; family 0: none */
    struct jb_connection *older, *newer;   /* of those that shake hands */
    struct jb_connection *before, *behind; /* of all */
    int64_t accepted_ms;
};

/* Goes on with a handshake as far as bytes have come. Returns 1 when it is over, and
 * nothing behind it has been read; 0: not yet; or a negative errno: -EPROTO, -EMSGSIZE
 * if it says too much, -ENOMEM, -ECONNRESET if the connection is over, -ENOBUFS. */
int jb_connection_shake_hands(struct jb_connection *c);

/* Where the next bytes may go that are read from the connection, at once: the rest of a
 * body that is kept, then a buffer. Returns how many of the two are used. */
int jb_connection_room(struct jb_connection *c, struct iovec room[2], void *buffer, size_t size);

/* Notes that so many bytes have gone to the first of two. */
void jb_connection_filled(struct jb_connection *c, size_t bytes);

/* Takes from bytes that have come, and moves on behind what it has taken. Returns 1 when
 * message is whole; it is the caller's to clear. 0: all is taken; or a negative errno:
 * -EPROTO, -EMSGSIZE: a frame is over the limit, -E2BIG: the message is, and does not end,
 * -ENOMEM: there is none for a command, and those of jb_connection_send. */
int jb_connection_take(struct jb_connection *c, const unsigned char **data, size_t *size,
                       size_t event_bytes_max);

/* Sends bytes at once, or returns -ENOBUFS: there is no room for all of them, or -ECONNRESET. */
int jb_connection_send(struct jb_connection *c, const void *data, size_t size);

#endif
