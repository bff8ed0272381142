/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#include "message.h"

#include "memory.h"

void jb_message_init(struct jb_message *m) {
    m->frames = m->few;
    m->capacity = jb_frames_on_stack;
    m->count = 0;
    m->bytes = m->cost = 0;
    m->refused = 0;
}

static int grow(struct jb_message *m) {
    zmq_msg_t *frames = jb_malloc(2 * m->capacity * sizeof *frames);
    if (!frames)
        return 0;
    for (size_t i = 0; i < m->count; i++) {
        zmq_msg_init(&frames[i]);
        zmq_msg_move(&frames[i], &m->frames[i]);
        zmq_msg_close(&m->frames[i]);
    }
    if (m->frames != m->few)
        jb_free(m->frames);
    m->frames = frames;
    m->capacity *= 2;
    return 1;
}

zmq_msg_t *jb_message_room(struct jb_message *m) {
    if (m->count == m->capacity && !grow(m))
        return NULL;
    return &m->frames[m->count];
}

void jb_message_clear(struct jb_message *m) {
    for (size_t i = 0; i < m->count; i++)
        zmq_msg_close(&m->frames[i]);
    m->count = 0;
    m->bytes = m->cost = 0;
    m->refused = 0;
}

void jb_message_free(struct jb_message *m) {
    jb_message_clear(m);
    if (m->frames != m->few)
        jb_free(m->frames);
}
