/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Events and frames that come in one run of bytes become the structs that publish_many
 * and send_frames take; juicebus.h has the layout. Next: publisher.c.
 */
#include <string.h>

#include "../core/internal/socket/memory.h"
#include "trampoline.h"

/* What is left to read. */
struct packed {
    const char *at;
    size_t left;
};

static int read_u32(struct packed *p, uint32_t *number) {
    if (p->left < sizeof *number)
        return 0;
    memcpy(number, p->at, sizeof *number);
    p->at += sizeof *number;
    p->left -= sizeof *number;
    return 1;
}

/* Skips a run of bytes and returns where it begins; NULL if there are not so many. */
static const char *read_bytes(struct packed *p, size_t size) {
    const char *at = p->at;
    if (size > p->left)
        return NULL;
    p->at += size;
    p->left -= size;
    return at;
}

static const char *read_string(struct packed *p, size_t size) {
    const char *text = read_bytes(p, size + 1);
    return text && !text[size] && strlen(text) == size ? text : NULL;
}

/* Reads the frames whose sizes come first, to `frames`, or if that is NULL skips them. */
static int read_frames(struct packed *p, struct packed sizes, juicebus_frame *frames) {
    uint32_t size;
    while (read_u32(&sizes, &size)) {
        const char *data = read_bytes(p, size);
        if (!data)
            return 0;
        if (frames) {
            frames->data = data;
            frames->size = size;
            frames++;
        }
    }
    return 1;
}

/* Reads an event, to `event` and `frames` if they are not NULL, and counts its frames; one
 * frame alone is the payload, and not counted. */
static int read_event(struct packed *p, juicebus_event *event, juicebus_frame *frames,
                      size_t *frame_count) {
    uint32_t name_size, topic_size, count;
    if (!read_u32(p, &name_size) || !read_u32(p, &topic_size) || !read_u32(p, &count))
        return 0;
    const int unchecked = (count & JUICEBUS_PACKED_UNCHECKED) != 0;
    count &= ~JUICEBUS_PACKED_UNCHECKED;
    struct packed sizes = {p->at, (size_t)count * sizeof count};
    if (!read_bytes(p, sizes.left))
        return 0;
    const char *name = read_string(p, name_size);
    const char *topic = name ? read_string(p, topic_size) : NULL;
    juicebus_frame one;
    const int alone = count == 1;
    if (!topic || !read_frames(p, sizes, alone ? &one : frames))
        return 0;
    *frame_count = alone ? 0 : count;
    if (event) {
        memset(event, 0, sizeof *event);
        event->name = name;
        event->topic = topic;
        event->payload = alone ? one.data : NULL;
        event->payload_size = alone ? one.size : 0;
        event->frames = alone ? NULL : frames;
        event->frame_count = *frame_count;
        event->unchecked = unchecked;
    }
    return 1;
}

static int publish(juicebus_publisher_t publisher, struct packed p, juicebus_event *events,
                   juicebus_frame *frames, int64_t timeout_ms, size_t *sent) {
    size_t count = 0, frame_count;
    for (; p.left > 0; count++, frames += frame_count)
        (void)read_event(&p, &events[count], frames, &frame_count);
    return juicebus_publisher_publish_many(publisher, events, count, timeout_ms, sent);
}

static int no_memory(const char *function) {
    return jbc_fail(JUICEBUS_E_SYSTEM, "juicebus: %s: cannot allocate memory", function);
}

EXPORT int juicebus_publisher_publish_packed(juicebus_publisher_t publisher, const void *data,
                                             size_t size, int64_t timeout_ms, size_t *sent) {
    REQUIRE_ALIVE();
    REQUIRE(data);
    REQUIRE_SIZE(size);
    REQUIRE_TIMEOUT(timeout_ms);
    struct packed all = {(const char *)data, size}, p = all;
    size_t count = 0, frame_count = 0;
    for (size_t frames; p.left > 0; count++, frame_count += frames)
        if (!read_event(&p, NULL, NULL, &frames))
            return jbc_fail(JUICEBUS_E_INVALID,
                            "juicebus: %s: event %zu is not packed as juicebus.h says", __func__,
                            count);
    juicebus_event one;
    if (count == 1 && frame_count == 0)
        return publish(publisher, all, &one, NULL, timeout_ms, sent);
    juicebus_event *events = (juicebus_event *)jb_malloc((count + 1) * sizeof *events +
                                                         frame_count * sizeof(juicebus_frame));
    if (!events)
        return no_memory(__func__);
    const int status = publish(publisher, all, events, (juicebus_frame *)(void *)(events + count),
                               timeout_ms, sent);
    jb_free(events);
    return status;
}

EXPORT int juicebus_publisher_send_packed(juicebus_publisher_t publisher, const void *data,
                                          size_t size, int64_t timeout_ms) {
    enum { frames_on_stack = 8 };
    REQUIRE_ALIVE();
    REQUIRE(data);
    REQUIRE_SIZE(size);
    REQUIRE_TIMEOUT(timeout_ms);
    struct packed p = {(const char *)data, size};
    uint32_t count = 0;
    const int counted = read_u32(&p, &count);
    struct packed sizes = {p.at, (size_t)count * sizeof count};
    struct packed rest = p;
    if (!counted || !read_bytes(&rest, sizes.left) || !read_frames(&rest, sizes, NULL) ||
        rest.left > 0)
        return jbc_fail(JUICEBUS_E_INVALID,
                        "juicebus: %s: the frames are not packed as juicebus.h says", __func__);
    juicebus_frame on_stack[frames_on_stack];
    juicebus_frame *frames = on_stack;
    if (count > frames_on_stack)
        frames = (juicebus_frame *)jb_malloc(count * sizeof *frames);
    if (!frames)
        return no_memory(__func__);
    (void)read_bytes(&p, sizes.left);
    (void)read_frames(&p, sizes, frames);
    const int status = juicebus_publisher_send_frames(publisher, frames, count, timeout_ms);
    if (frames != on_stack)
        jb_free(frames);
    return status;
}
