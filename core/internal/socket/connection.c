/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "memory.h"

/* What a command may have: libzmq's READY has an identity of up to 255 bytes in it. */
enum { command_bytes_max = 4096 };

/* What a frame counts beside its bytes, but for the first ones: a message of empty
 * frames must end, too. */
enum { frame_cost = 64, free_frames = 1024 };

/* From so much on that is owed to a frame, it is read to where it belongs. */
enum { direct_bytes_min = 4096, direct_bytes_max = 1 << 20 };

int jb_connection_send(struct jb_connection *c, const void *data, size_t size) {
    ssize_t sent = send(c->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN ? -ENOBUFS : -ECONNRESET;
    return sent == (ssize_t)size ? 0 : -EPIPE;
}

/* Reads up to `want` bytes in all to where `have` are. Returns whether all are there. */
static int read_on(int fd, void *to, size_t *have, size_t want) {
    ssize_t count = recv(fd, (char *)to + *have, want - *have, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        return -ECONNRESET;
    *have += count > 0 ? (size_t)count : 0;
    return *have == want;
}

static int read_greeting(struct jb_connection *c) {
    int rc = read_on(c->fd, c->start, &c->start_size, jb_greeting_bytes);
    if (rc != 1)
        return rc;
    c->start_size = 0;
    c->phase = jb_phase_ready;
    if (!jb_is_greeting(c->start))
        return -EPROTO;
    return jb_connection_send(c, jb_ready_for(c->role), jb_ready_bytes);
}

static int keep_room(struct jb_connection *c, size_t more) {
    const size_t want = c->message.wire_size + more;
    if (want <= c->kept_capacity)
        return 0;
    unsigned char *kept = jb_realloc(c->kept, want);
    if (!kept)
        return -ENOMEM;
    *c->kept_bytes += want - c->kept_capacity;
    c->kept = kept;
    c->kept_capacity = want;
    return 0;
}

/* Takes what is kept off the connection. */
static unsigned char *detach(struct jb_connection *c) {
    unsigned char *kept = c->kept;
    c->kept = NULL;
    *c->kept_bytes -= c->kept_capacity;
    c->kept_capacity = 0;
    return kept;
}

void jb_connection_drop(struct jb_connection *c) {
    jb_free(detach(c));
}

static void forget(struct jb_connection *c) {
    jb_connection_drop(c);
    memset(&c->message, 0, sizeof c->message);
}

/* Reads the head of a handshake's command. Not a byte too many is read in a handshake:
 * what follows may have to wait. */
static int read_ready_head(struct jb_connection *c) {
    for (;;) {
        int bytes = jb_read_head(c->start, c->start_size, &c->head);
        if (bytes < 0 || (bytes > 0 && (!c->head.command || c->head.size > command_bytes_max)))
            return -EPROTO;
        if (bytes > 0) {
            c->place = jb_in_command;
            c->start_size = 0;
            return keep_room(c, (size_t)c->head.size);
        }
        int rc = read_on(c->fd, c->start, &c->start_size, c->start_size + 1);
        if (rc != 1)
            return rc;
    }
}

static int read_ready(struct jb_connection *c) {
    if (c->place == jb_at_head) {
        int rc = read_ready_head(c);
        if (rc < 0 || c->place == jb_at_head)
            return rc;
    }
    size_t *have = &c->message.wire_size;
    int rc = *have == c->head.size ? 1 : read_on(c->fd, c->kept, have, (size_t)c->head.size);
    if (rc != 1)
        return rc;
    if (!jb_is_ready_of(c->role, c->kept, *have))
        return -EPROTO;
    forget(c);
    c->place = jb_at_head;
    c->phase = jb_phase_open;
    return 1;
}

int jb_connection_shake_hands(struct jb_connection *c) {
    int rc = 0;
    if (c->phase == jb_phase_greeting)
        rc = read_greeting(c);
    if (rc >= 0 && c->phase == jb_phase_ready)
        rc = read_ready(c);
    return rc < 0 ? rc : c->phase == jb_phase_open;
}

int jb_connection_room(struct jb_connection *c, struct iovec room[2], void *buffer, size_t size) {
    int count = 0;
    if (c->place == jb_in_frame && !c->message.refused && c->owed >= direct_bytes_min) {
        size_t part = c->owed < direct_bytes_max ? (size_t)c->owed : direct_bytes_max;
        room[count++] = (struct iovec){c->kept + c->message.wire_size, part};
        if (part < c->owed)
            return count;
    }
    room[count++] = (struct iovec){buffer, size};
    return count;
}

void jb_connection_filled(struct jb_connection *c, size_t bytes) {
    c->message.wire_size += bytes;
    c->owed -= bytes;
}

unsigned char *jb_connection_give(struct jb_connection *c) {
    return c->message.wire == c->kept ? detach(c) : NULL;
}

static uint64_t cost(const struct jb_message *m) {
    const uint64_t counted = m->frame_count > free_frames ? m->frame_count - free_frames : 0;
    return m->bytes + frame_cost * counted;
}

/* Counts a frame, whose body lies at `body` behind the message's beginning. */
static int count_frame(struct jb_message *m, const struct jb_head *head, size_t body,
                       const struct jb_limits *limits) {
    if (head->size > limits->refused)
        return -EMSGSIZE;
    m->bytes += head->size;
    m->frame_count++;
    m->last = body;
    m->last_size = (size_t)head->size;
    if (m->frame_count == 1) {
        m->key = m->last;
        m->key_size = m->last_size;
    }
    /* That it does not end is certain some way behind the limit. */
    if (cost(m) > limits->refused + limits->refused / 8)
        return -E2BIG;
    m->refused |= cost(m) > limits->taken;
    return 0;
}

/* Finds a whole message in the bytes, without a command in it. Returns its size; 0: there
 * is none. */
static int find_whole(struct jb_message *m, const unsigned char *data, size_t size,
                      const struct jb_limits *limits, size_t *found) {
    size_t at = 0;
    *found = 0;
    for (struct jb_head head = {.more = 1}; head.more;) {
        int bytes = jb_read_head(data + at, size - at, &head);
        if (bytes < 0)
            return bytes;
        if (bytes == 0 || head.command || size - at - (size_t)bytes < head.size)
            return 0;
        at += (size_t)bytes;
        int rc = count_frame(m, &head, at, limits);
        if (rc < 0)
            return rc;
        at += (size_t)head.size;
    }
    *found = at;
    return 0;
}

/* Moves bytes to `start`, until that has `want`. */
static void collect(struct jb_connection *c, size_t want, const unsigned char **data,
                    size_t *size) {
    size_t part = want - c->start_size;
    if (part > *size)
        part = *size;
    memcpy(c->start + c->start_size, *data, part);
    c->start_size += part;
    *data += part;
    *size -= part;
}

static int begin_frame(struct jb_connection *c, const struct jb_limits *limits) {
    struct jb_message *m = &c->message;
    const size_t head_size = c->start_size;
    int rc = count_frame(m, &c->head, m->wire_size + head_size, limits);
    if (rc < 0)
        return rc;
    c->place = jb_in_frame;
    c->owed = c->head.size;
    /* Without memory it is refused: what comes behind it is heard. */
    if (m->refused || keep_room(c, head_size + m->last_size) < 0) {
        m->refused = 1;
        jb_connection_drop(c);
    } else {
        memcpy(c->kept + m->wire_size, c->start, head_size);
        m->wire_size += head_size;
    }
    c->start_size = 0;
    return 0;
}

static int begin_command(struct jb_connection *c) {
    if (c->head.size > command_bytes_max)
        return -EPROTO;
    c->place = jb_in_command;
    c->owed = c->head.size;
    c->start_size = 0;
    return 0;
}

static int take_head(struct jb_connection *c, const unsigned char **data, size_t *size,
                     const struct jb_limits *limits) {
    for (size_t want = 2;; want = jb_head_bytes_max) {
        if (c->start_size < want)
            collect(c, want, data, size);
        int bytes = jb_read_head(c->start, c->start_size, &c->head);
        if (bytes < 0)
            return bytes;
        if (bytes > 0)
            return c->head.command ? begin_command(c) : begin_frame(c, limits);
        if (*size == 0)
            return 0;
    }
}

static int take_command(struct jb_connection *c, const unsigned char **data, size_t *size) {
    if (c->start_size < jb_command_start && c->owed > 0) {
        const size_t before = c->start_size;
        const uint64_t left = before + c->owed;
        collect(c, left < jb_command_start ? (size_t)left : jb_command_start, data, size);
        c->owed -= c->start_size - before;
    }
    const size_t part = c->owed < *size ? (size_t)c->owed : *size;
    *data += part;
    *size -= part;
    c->owed -= part;
    if (c->owed > 0)
        return 0;
    c->place = jb_at_head;
    c->start_size = 0;
    int answer = jb_answer(c->start, c->head.size, c->answer);
    c->answer_size = answer > 0 ? (size_t)answer : 0;
    return answer > 0 ? jb_heartbeat_taken : answer;
}

/* Returns whether the message is whole. */
static int take_frame(struct jb_connection *c, const unsigned char **data, size_t *size) {
    struct jb_message *m = &c->message;
    const size_t part = c->owed < *size ? (size_t)c->owed : *size;
    if (!m->refused && part > 0) {
        memcpy(c->kept + m->wire_size, *data, part);
        m->wire_size += part;
    }
    *data += part;
    *size -= part;
    c->owed -= part;
    if (c->owed > 0)
        return 0;
    c->place = jb_at_head;
    m->wire = c->kept;
    return !c->head.more;
}

int jb_connection_take(struct jb_connection *c, const unsigned char **data, size_t *size,
                       const struct jb_limits *limits) {
    if (c->is_whole) {
        forget(c);
        c->is_whole = 0;
    }
    struct jb_message *m = &c->message;
    for (int rc = 0;;) {
        if (c->place == jb_at_head && m->frame_count == 0 && c->start_size == 0) {
            size_t whole;
            rc = find_whole(m, *data, *size, limits, &whole);
            if (whole > 0) {
                m->wire = *data;
                m->wire_size = whole;
                *data += whole;
                *size -= whole;
                c->is_whole = 1;
                return jb_message_taken;
            }
            memset(m, 0, sizeof *m);
        }
        if (rc < 0)
            return rc;
        if (c->place == jb_at_head) {
            if (*size == 0)
                return jb_all_taken;
            rc = take_head(c, data, size, limits);
        } else if (c->place == jb_in_command) {
            rc = take_command(c, data, size);
        } else if (take_frame(c, data, size)) {
            c->is_whole = 1;
            return jb_message_taken;
        }
        if (rc != 0)
            return rc;
        if (*size == 0 && (c->place == jb_at_head || c->owed > 0))
            return jb_all_taken;
    }
}
