/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What callers in C do past Go, for the trampolines of capi: the usual thing at once,
 * or nothing. None of it waits. An end is held meanwhile.
 */
#ifndef JB_DIRECT_H
#define JB_DIRECT_H

#include <stddef.h>
#include <stdint.h>

struct jb_block;
struct jb_frame;
struct jb_record;
struct jb_end;

/* Keeps an end's memory, and its ready fd open, until jb_end_release. */
void jb_end_hold(struct jb_end *end);
void jb_end_release(struct jb_end *end);

/* The fd to wait on. */
int jb_end_ready_fd(const struct jb_end *end);

enum jb_direct {
    jb_nothing, /* there is nothing to take */
    jb_done,
    jb_for_go, /* Go has to see to it; nothing is lost by having tried */
};

/* Takes up to events_max events of a subscriber. The block is the caller's. */
enum jb_direct jb_take_direct(struct jb_end *subscriber, size_t events_max, struct jb_block **block,
                              uint64_t *slow);

/* Lets payloads be MessagePack on this side, where they are CBOR on the wire; before
 * anything else is done with the end. */
void jb_use_msgpack(struct jb_end *end);
int jb_uses_msgpack(const struct jb_end *end);

/* The last that happens to a block before a caller in C gets it, whoever has taken it. */
void jb_hand_out(struct jb_end *subscriber, struct jb_block *block);

/* Publishes events in order, each with one payload, and returns how many: the next one,
 * if that is not all, is for Go. Of a record only name, topic and payload are read. */
size_t jb_publish_direct(struct jb_end *publisher, const struct jb_record *events, size_t count);

/* Sends one message as it is, a key and what follows, and returns whether it has. */
int jb_send_direct(struct jb_end *publisher, const struct jb_frame *frames, size_t count);

#endif
