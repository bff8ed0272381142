/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What ZMTP 3 looks like on the wire (rfc.zeromq.org/spec/23), as far as a proxy needs
 * it: the mechanism NULL, with peers that publish and peers that subscribe.
 */
#ifndef JB_ZMTP_H
#define JB_ZMTP_H

#include <stddef.h>
#include <stdint.h>

enum { jb_greeting_bytes = 64, jb_head_bytes_max = 9 };

/* What a peer does. A publisher is met by an XSUB, a subscriber by an XPUB. */
enum jb_role { jb_publisher_role, jb_subscriber_role };

/* What the proxy says to each peer before it knows more of it, byte for byte: a
 * greeting, and a READY that its role decides. */
extern const unsigned char jb_greeting[jb_greeting_bytes];
enum { jb_ready_bytes = 28 };
const unsigned char *jb_ready_for(enum jb_role peer);

/* Whether a peer's greeting is one of ZMTP 3 or later, with the mechanism NULL. */
int jb_is_greeting(const unsigned char greeting[jb_greeting_bytes]);

/* Whether the body of a command is the READY of a peer in this role. */
int jb_is_ready_of(enum jb_role peer, const unsigned char *body, size_t size);

/* A frame's head. */
struct jb_head {
    uint64_t size; /* of the body that follows */
    int more, command;
};

/* Reads one from the bytes that are there. Returns how many it takes; 0: that is not
 * all of it; -EPROTO: it is none. */
int jb_read_head(const unsigned char *data, size_t size, struct jb_head *head);

/* What answers a command, if that is a PING, with its head: returns its size; 0: the
 * command asks for no answer; -EPROTO: it is broken, or has no place here. Of a longer
 * command, its beginning and its size are enough. */
enum { jb_command_start = 32, jb_pong_bytes_max = 2 + 5 + 16 };
int jb_answer(const unsigned char *start, uint64_t size, unsigned char pong[jb_pong_bytes_max]);

#endif
