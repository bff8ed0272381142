/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The frames of a message that is on its way through the proxy.
 */
#ifndef JB_MESSAGE_H
#define JB_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

enum { jb_frames_on_stack = 8 };

struct jb_message {
    zmq_msg_t few[jb_frames_on_stack];
    zmq_msg_t *frames; /* few, until there are more */
    size_t count, capacity;
    uint64_t bytes; /* of all its frames, also of those that are not kept */
    uint64_t cost;  /* what they would take, kept */
    int refused;    /* it is over the limit, and its frames are not kept */
};

void jb_message_init(struct jb_message *m);

/* Room for one more frame, not counted yet; NULL without memory. */
zmq_msg_t *jb_message_room(struct jb_message *m);

/* Forgets the frames, whatever is left of them, and what was said of them. */
void jb_message_clear(struct jb_message *m);

/* The same, at its end. */
void jb_message_free(struct jb_message *m);

#endif
