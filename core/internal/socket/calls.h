/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * libzmq's calls as this room makes them: without waiting, repeated when a signal
 * interrupts, which Go's own signals do in any thread. Each returns a negative
 * errno on failure.
 */
#ifndef JB_CALLS_H
#define JB_CALLS_H

#include <zmq.h>

/* Whether a key is the control plane's, whose messages are no events. */
int jb_is_reserved(const void *key, size_t size);

/* Receives one frame; -EAGAIN if there is none. */
int jb_receive_frame(void *socket, zmq_msg_t *frame);

/* Receives one frame into a buffer; what exceeds its capacity is cut off. Returns the
 * bytes written; -EAGAIN if there is no frame. */
int jb_receive_bytes(void *socket, void *buffer, size_t capacity);

/* The socket's ZMQ_EVENTS. Asking makes libzmq look at its commands at once, which
 * it does only now and then while it sends. */
int jb_events(void *socket);

/* Sends one frame; -EAGAIN if there is no room, also after libzmq has looked at its
 * commands: without that, a socket that has room again would stay full to us. */
int jb_send_frame(void *socket, zmq_msg_t *frame, int flags);

#endif
