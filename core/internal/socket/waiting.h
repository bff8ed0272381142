/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Counts what waits in libzmq's queues, in bytes. libzmq bounds them in messages; so
 * large frames are counted while they wait, and small ones are bounded by their
 * number. Not by lowering libzmq's bound with the mean size: changed while a
 * connection ends, it makes libzmq write to a pipe that is gone.
 */
#ifndef JB_WAITING_H
#define JB_WAITING_H

#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

/* Frames from so many bytes on are large. */
enum { jb_large_bytes = 512 };

/* Lives as long as the last frame that it counts, which may be longer than the
 * socket. Any thread may read the count. */
struct jb_waiting;
struct jb_waiting *jb_waiting_new(void);
void jb_waiting_release(struct jb_waiting *waiting);

/* Where the bytes of all large frames that wait are kept, for atomic reads. */
const uint64_t *jb_waiting_bytes(const struct jb_waiting *waiting);

/* Makes a file descriptor readable once, when less than `below` bytes wait, for which
 * somebody waits; it may be so at once. Returns the descriptor, which is the same each
 * time and lives as long as this, or a negative errno. Not for several threads at once. */
int jb_waiting_await(struct jb_waiting *waiting, uint64_t below);

/* Nobody waits: it is not readable. */
void jb_waiting_forget(struct jb_waiting *waiting);

/* Makes a frame with a copy of data, or returns -ENOMEM. */
int jb_waiting_copy(struct jb_waiting *waiting, zmq_msg_t *frame, const void *data, size_t size);

#endif
