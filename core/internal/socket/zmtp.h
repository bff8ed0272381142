/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What ZMTP 3 looks like on the wire (rfc.zeromq.org/spec/23 and /37), as far as
 * the proxy needs it to hear publishers: the mechanism NULL, and peers that publish.
 */
#ifndef JB_ZMTP_H
#define JB_ZMTP_H

#include <stddef.h>
#include <stdint.h>

enum { jb_greeting_bytes = 64, jb_head_bytes_max = 9 };

/* What the proxy says to each publisher, byte for byte. */
extern const unsigned char jb_greeting[jb_greeting_bytes];
extern const unsigned char jb_ready[];
extern const size_t jb_ready_bytes;

/* Whether a peer's greeting is one of ZMTP 3 or later, with the mechanism NULL. */
int jb_is_greeting(const unsigned char greeting[jb_greeting_bytes]);

/* Whether the body of a command is READY, from a socket that publishes. */
int jb_is_ready_of_publisher(const unsigned char *body, size_t size);

/* A frame's head. */
struct jb_head {
    uint64_t size; /* of the body that follows */
    int more, command;
};

/* Reads one from the bytes that are there. Returns how many it takes; 0: that is not
 * all of it; -EPROTO: it is none. */
int jb_read_head(const unsigned char *data, size_t size, struct jb_head *head);

/* Writes the head of a short frame, and returns its size. */
size_t jb_write_head(unsigned char *to, int command, size_t size);

/* The command that answers another one, written with its head, if that is a PING:
 * returns its size; 0: the command asks for no answer; -EPROTO: it is broken. */
enum { jb_pong_bytes_max = 2 + 5 + 16 };
int jb_answer(const unsigned char *body, size_t size, unsigned char pong[jb_pong_bytes_max]);

#endif
