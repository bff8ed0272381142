/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What a command may have: libzmq's READY has an identity of up to 255 bytes in it. */
enum { command_bytes_max = 4096 };

/* What a frame takes beside its bytes. So many are free, then they count against the
 * limit: a message of empty ones must end, too. */
enum { frame_cost = sizeof(zmq_msg_t), free_frames = 1024 };

/* From so much on that is owed to a body, it is read to where it belongs. */
enum { direct_bytes_min = 4096, direct_bytes_max = 1 << 20 };

int jb_connection_send(struct jb_connection *c, const void *data, size_t size) {
    ssize_t sent = send(c->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return -ECONNRESET;
    return sent == (ssize_t)size ? 0 : -ENOBUFS;
}

static void begin_body(struct jb_connection *c, zmq_msg_t *body) {
    c->in_body = 1;
    c->got = 0;
    c->body = body;
}

static int begin_command(struct jb_connection *c) {
    if (c->head.size > command_bytes_max)
        return -EMSGSIZE;
    if (zmq_msg_init_size(&c->command, c->head.size) < 0)
        return -ENOMEM;
    begin_body(c, &c->command);
    return 0;
}

/* Reads up to `want` bytes in all to where `have` are. */
static int read_on(int fd, void *to, size_t *have, size_t want) {
    ssize_t count = recv(fd, (char *)to + *have, want - *have, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        return -ECONNRESET;
    *have += count > 0 ? (size_t)count : 0;
    return *have == want;
}

static int read_greeting(struct jb_connection *c) {
    int rc = read_on(c->fd, c->start, &c->start_size, jb_greeting_bytes);
    if (rc == 1) {
        c->start_size = 0;
        c->phase = jb_phase_ready;
        rc = jb_is_greeting(c->start) ? jb_connection_send(c, jb_ready, jb_ready_bytes) : -EPROTO;
    }
    return rc;
}

/* Not a byte too many is read: what follows may have to wait. */
static int read_ready(struct jb_connection *c) {
    while (!c->in_body) {
        int bytes = jb_read_head(c->start, c->start_size, &c->head);
        if (bytes < 0)
            return bytes;
        if (bytes == 0) {
            int rc = read_on(c->fd, c->start, &c->start_size, c->start_size + 1);
            if (rc != 1)
                return rc;
            continue;
        }
        int rc = c->head.command ? begin_command(c) : -EPROTO;
        if (rc < 0)
            return rc;
    }
    size_t got = c->got;
    int rc = got == c->head.size ? 1 : read_on(c->fd, zmq_msg_data(c->body), &got, c->head.size);
    c->got = got;
    if (rc != 1)
        return rc;
    int good = jb_is_ready_of_publisher(zmq_msg_data(c->body), c->head.size);
    zmq_msg_close(c->body);
    c->in_body = 0;
    c->start_size = 0;
    if (!good)
        return -EPROTO;
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
    const uint64_t owed = c->in_body ? c->head.size - c->got : 0;
    if (c->body && owed >= direct_bytes_min) {
        size_t part = owed < direct_bytes_max ? (size_t)owed : direct_bytes_max;
        room[count++] = (struct iovec){(char *)zmq_msg_data(c->body) + c->got, part};
        if (part < owed)
            return count;
    }
    room[count++] = (struct iovec){buffer, size};
    return count;
}

void jb_connection_filled(struct jb_connection *c, size_t bytes) {
    c->got += bytes;
}

/* What a message may cost until it is refused, and until its connection is cut off. */
static uint64_t cost_max(size_t event_bytes_max) {
    return (uint64_t)event_bytes_max + (uint64_t)free_frames * frame_cost;
}

static uint64_t endless_cost(size_t event_bytes_max) {
    return cost_max(event_bytes_max) + event_bytes_max / 8;
}

static void refuse(struct jb_message *m) {
    const uint64_t bytes = m->bytes, cost = m->cost;
    jb_message_clear(m);
    m->bytes = bytes;
    m->cost = cost;
    m->refused = 1;
}

static int begin_frame(struct jb_connection *c, size_t event_bytes_max) {
    struct jb_message *m = &c->message;
    if (c->head.size > event_bytes_max)
        return -EMSGSIZE;
    m->bytes += c->head.size;
    m->cost += c->head.size + frame_cost;
    if (m->cost > endless_cost(event_bytes_max))
        return -E2BIG;
    if (m->bytes > event_bytes_max || m->cost > cost_max(event_bytes_max))
        refuse(m);
    zmq_msg_t *frame = m->refused ? NULL : jb_message_room(m);
    if (frame && zmq_msg_init_size(frame, c->head.size) < 0)
        frame = NULL;
    if (frame)
        m->count++;
    else
        refuse(m); /* also without memory: what comes behind it is heard */
    begin_body(c, frame);
    return 0;
}

/* Takes a head, as far as it is there. */
static int take_head(struct jb_connection *c, const unsigned char **data, size_t *size,
                     size_t event_bytes_max) {
    const unsigned char *from = *data;
    size_t have = *size;
    const size_t before = c->start_size;
    if (before > 0) {
        size_t more = jb_head_bytes_max - before;
        if (more > have)
            more = have;
        memcpy(c->start + before, from, more);
        from = c->start;
        have = before + more;
    }
    int bytes = jb_read_head(from, have, &c->head);
    if (bytes < 0)
        return bytes;
    if (bytes == 0) {
        if (from != c->start)
            memcpy(c->start, from, have);
        c->start_size = have;
        *data += *size;
        *size = 0;
        return 0;
    }
    c->start_size = 0;
    *data += (size_t)bytes - before;
    *size -= (size_t)bytes - before;
    return c->head.command ? begin_command(c) : begin_frame(c, event_bytes_max);
}

static int end_command(struct jb_connection *c) {
    unsigned char pong[jb_pong_bytes_max];
    int size = jb_answer(zmq_msg_data(&c->command), c->head.size, pong);
    zmq_msg_close(&c->command);
    return size > 0 ? jb_connection_send(c, pong, (size_t)size) : size;
}

int jb_connection_take(struct jb_connection *c, const unsigned char **data, size_t *size,
                       size_t event_bytes_max) {
    for (;;) {
        if (!c->in_body) {
            if (*size == 0)
                return 0;
            int rc = take_head(c, data, size, event_bytes_max);
            if (rc < 0)
                return rc;
            if (!c->in_body)
                return 0;
        }
        uint64_t part = c->head.size - c->got;
        if (part > *size)
            part = *size;
        if (c->body && part > 0)
            memcpy((char *)zmq_msg_data(c->body) + c->got, *data, part);
        c->got += part;
        *data += part;
        *size -= part;
        if (c->got < c->head.size)
            return 0;
        c->in_body = 0;
        c->body = NULL;
        if (c->head.command) {
            int rc = end_command(c);
            if (rc < 0)
                return rc;
        } else if (!c->head.more) {
            return 1;
        }
    }
}
