/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * One peer's connection to the proxy: its handshake, then its messages, found in the
 * bytes that come. Comes from side.c.
 */
#ifndef JB_CONNECTION_H
#define JB_CONNECTION_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "zmtp.h"

/* A message, with its frames' heads as they came: so it can go on. */
struct jb_message {
    const unsigned char *wire;
    size_t wire_size;
    size_t key, key_size;   /* the first frame: where in wire, and its size */
    size_t last, last_size; /* the last one, which may be the first */
    size_t frame_count;
    uint64_t bytes; /* of all frames */
    int refused;    /* it was over the limit: there is only bytes */
};

enum jb_phase { jb_phase_greeting, jb_phase_ready, jb_phase_open };
enum jb_place { jb_at_head, jb_in_frame, jb_in_command };

struct jb_connection {
    int fd;
    enum jb_role role; /* of the peer */
    enum jb_phase phase;
    enum jb_place place;
    unsigned char start[jb_greeting_bytes]; /* of a greeting, a head, a command */
    size_t start_size;
    struct jb_head head;
    uint64_t owed;             /* of a frame's body, or a command's */
    unsigned char *kept;       /* of a message that has not come as a whole */
    size_t kept_capacity;      /* kept has message.wire_size bytes in it */
    uint64_t *kept_bytes;      /* of all connections */
    int64_t looked_ms;         /* for side.c: when it was last seen to go on */
    uint64_t looked_size;      /* and what was kept then */
    struct jb_message message; /* as far as it is known */
    int is_whole;
    unsigned char answer[jb_pong_bytes_max]; /* to a heartbeat */
    size_t answer_size;
    struct sockaddr_in6 address;           /* or a sockaddr_in; family 0: none */
    struct jb_connection *older, *newer;   /* of those that shake hands */
    struct jb_connection *before, *behind; /* of all */
    int64_t accepted_ms;
    uint32_t epoll_events;
};

/* Goes on with a handshake as far as bytes have come. Returns 1 when it is over, and
 * nothing behind it has been read; 0: not yet; or a negative errno: -EPROTO,
 * -ENOMEM, -ECONNRESET if the connection is over, -ENOBUFS, -EPIPE. */
int jb_connection_shake_hands(struct jb_connection *c);

/* Where the next bytes may go that are read from the connection, at once: the rest of a
 * frame that is kept, then a buffer. Returns how many of the two are used. */
int jb_connection_room(struct jb_connection *c, struct iovec room[2], void *buffer, size_t size);

/* Notes that so many bytes have gone to the first of two. */
void jb_connection_filled(struct jb_connection *c, size_t bytes);

/* Of a message. What is over the first is refused, and passed over as it comes; what is
 * over the second ends the connection. */
struct jb_limits {
    uint64_t taken, refused;
};

enum jb_taken { jb_all_taken, jb_message_taken, jb_heartbeat_taken };

/* Takes from bytes that have come, and moves on behind what it has taken, up to the end of
 * a message, which is valid until the next call and as long as the bytes, or of a
 * heartbeat, whose answer is to be sent. Returns an enum jb_taken, or a negative errno:
 * -EPROTO, -EMSGSIZE: a frame is over the limit, -E2BIG: the message is, and does not end. */
int jb_connection_take(struct jb_connection *c, const unsigned char **data, size_t *size,
                       const struct jb_limits *limits);

/* Gives away the memory of a whole message, for jb_free; NULL: it lies in the bytes. */
unsigned char *jb_connection_give(struct jb_connection *c);

/* Forgets what is kept. */
void jb_connection_drop(struct jb_connection *c);

/* Sends bytes at once, or returns -ENOBUFS: there is no room for any of them, -EPIPE:
 * only for some, and nothing can follow, or -ECONNRESET. */
int jb_connection_send(struct jb_connection *c, const void *data, size_t size);

#endif
