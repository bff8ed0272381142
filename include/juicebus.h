/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * juicebus.h: publish and receive the events of an OrangeQS Juice fleet from C.
 *
 * A fleet has one central proxy. Publishers connect to one of its ports (5122
 * by default), subscribers to the other (5123), and whoever subscribed to an
 * event's name and topic receives it. This header is the whole interface of
 * libjuicebus.so.1; link with `pkg-config --cflags --libs juicebus`.
 *
 * A complete program. It publishes one event and receives it:
 *
 *     #include <juicebus.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         juicebus_proxy_t proxy;      // a fleet has its own; here we embed one
 *         juicebus_publisher_t pub;
 *         juicebus_subscriber_t sub;
 *         juicebus_event event;
 *         // {"kelvin": 4.2} in CBOR
 *         const unsigned char payload[] = {0xa1, 0x66, 'k', 'e', 'l', 'v', 'i', 'n', 0xfb,
 *                                          0x40, 0x10, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcd};
 *
 *         if (juicebus_proxy_open("ipc:///tmp/example-pub", "ipc:///tmp/example-sub", NULL, &proxy) ||
 *             juicebus_subscriber_open("ipc:///tmp/example-sub", NULL, &sub) ||
 *             juicebus_subscriber_subscribe(sub, "Temperature", NULL) ||
 *             juicebus_subscriber_ready(sub, 5000) ||
 *             juicebus_publisher_open("ipc:///tmp/example-pub", NULL, &pub) ||
 *             juicebus_publisher_publish(pub, "Temperature", "4K", payload, sizeof payload, 5000) ||
 *             juicebus_subscriber_get(sub, 5000, &event)) {
 *             fprintf(stderr, "%s\n", juicebus_last_error());
 *             return 1;
 *         }
 *         printf("%s %s: %zu bytes\n", event.name, event.topic, event.payload_size);
 *         juicebus_event_free(&event);
 *         juicebus_publisher_close(pub, 1000);
 *         juicebus_subscriber_close(sub);
 *         juicebus_proxy_close(proxy);
 *         return 0;
 *     }
 *
 * Conventions, true of every function here:
 *
 * - It returns a status: 0 (JUICEBUS_OK) for success, positive for an outcome
 *   that is no error (TIMEOUT, CLOSED, UNCONFIRMED), negative for an error. The
 *   few that return something else say so.
 * - Inputs come first, outputs last. Outputs are written on success only.
 * - Pointers are checked for NULL: JUICEBUS_E_INVALID. Options may be NULL.
 * - Every handle may be used by any thread, and by many at once. One thread may
 *   close a handle while others wait in it: they return JUICEBUS_CLOSED.
 * - A handle that was closed gives JUICEBUS_CLOSED, a number that never was a
 *   handle, or is one of another kind, JUICEBUS_E_HANDLE. 0 is never a handle.
 * - `timeout_ms`: -1 waits for ever, 0 does not wait, else milliseconds. Waits
 *   go on over signals (EINTR). A function without a timeout does not block.
 * - Strings are NUL-terminated UTF-8. The library copies what it needs before
 *   it returns; it keeps no pointer of yours.
 * - In a child of fork() every call returns JUICEBUS_E_FORKED: the library's
 *   threads do not exist there. Use exec, or open handles after the fork in a
 *   process that has not loaded the library.
 * - A program that installs signal handlers after loading the library must
 *   give them SA_ONSTACK (the library's runtime is Go's). One process can hold
 *   one Go runtime: do not link a second Go library. dlclose has no effect.
 *
 * Delivery is at most once. What is lost is counted, see the stats.
 */
#ifndef JUICEBUS_H
#define JUICEBUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------ */

/* This header's version, to compare with juicebus_version() at run time. */
#define JUICEBUS_VERSION "0.1.0"

/* The ABI this header describes. It equals the number in the library's soname
 * and changes only when a program built against an older header would break. */
#define JUICEBUS_ABI_VERSION 1

/* The library's version, such as "0.1.0". Static memory; never NULL. */
const char *juicebus_version(void);

/* The library's ABI version. Not a status. A binding that loads the library
 * itself compares it with JUICEBUS_ABI_VERSION first. */
int juicebus_abi_version(void);

/* ---- Status ------------------------------------------------------------- */

/* Values are never changed and never reused. */
#define JUICEBUS_OK 0
#define JUICEBUS_TIMEOUT 1     /* the time was up before it could be done */
#define JUICEBUS_CLOSED 2      /* the handle is closed */
#define JUICEBUS_UNCONFIRMED 3 /* the proxy, or its absence, cannot confirm it */

#define JUICEBUS_E_INVALID (-1)   /* an argument: NULL, a name, a size, a timeout */
#define JUICEBUS_E_HANDLE (-2)    /* never a handle, or one of another kind */
#define JUICEBUS_E_URI (-3)       /* malformed, or of an unknown scheme */
#define JUICEBUS_E_AMBIGUOUS (-4) /* a name is a dotted prefix of another one */
#define JUICEBUS_E_PAYLOAD (-5)   /* neither a well-formed CBOR map nor a JSON object */
#define JUICEBUS_E_TOO_LARGE (-6) /* the event exceeds max_event_bytes */
#define JUICEBUS_E_NOT_CONNECTED                                                                   \
    (-7)                        /* no proxy is there, and no queue or no time to wait for one */
#define JUICEBUS_E_FORKED (-8)  /* called in a child of fork() */
#define JUICEBUS_E_PANIC (-9)   /* a defect in the library; it refuses all calls from now on */
#define JUICEBUS_E_SYSTEM (-10) /* the operating system or libzmq refused */

/* A status in a few words, such as "timeout". Static memory; never NULL, also
 * for a number that is no status. */
const char *juicebus_status_text(int status);

/* What went wrong in this thread's last call that returned a negative status:
 * what was asked, of whom, and why not. Never NULL; "" before the first error.
 * The text belongs to the thread and is valid until its next call that fails.
 * The positive outcomes leave it as it was. */
const char *juicebus_last_error(void);

/* ---- Events ------------------------------------------------------------- */

typedef uint64_t juicebus_publisher_t;
typedef uint64_t juicebus_subscriber_t;
typedef uint64_t juicebus_proxy_t;

/* A run of bytes: one frame of a multipart message. */
typedef struct juicebus_frame {
    const void *data;
    size_t size; /* bytes */
} juicebus_frame;

/* How a received payload is encoded. */
#define JUICEBUS_FORMAT_OTHER 0   /* neither: an event class's own frames, or damaged */
#define JUICEBUS_FORMAT_CBOR 1    /* one frame, a well-formed CBOR map by the wire's rules */
#define JUICEBUS_FORMAT_JSON 2    /* one frame that begins with '{'; your parser judges the rest */
#define JUICEBUS_FORMAT_MSGPACK 3 /* CBOR that came, handed out as MessagePack: see `msgpack` */

/* One event: received, or given to juicebus_publisher_publish_many.
 *
 * The name may hold dots; which part of the key is the name and which the
 * topic follows from what you subscribed to. */
typedef struct juicebus_event {
    const char *name;             /* never empty */
    const char *topic;            /* "" if the event has none (NULL will do when publishing) */
    const void *payload;          /* the first payload frame; NULL if there is none */
    size_t payload_size;          /* bytes */
    const juicebus_frame *frames; /* every payload frame, in order */
    size_t frame_count;           /* 1 unless the event's class writes its own frames */
    size_t name_size;             /* bytes without the NUL; received events only */
    size_t topic_size;            /* bytes without the NUL; received events only */
    size_t size;                  /* bytes of key and payload as they came; received events only */
    int32_t format;               /* JUICEBUS_FORMAT_…; received events only */
    int32_t unchecked;            /* 1: publish_many sends the payload as it is; 0 if received */
    void *owner;                  /* private: what juicebus_event_free frees */
} juicebus_event;

/* Received events, in order. All memory that they point to lies in `data`. */
typedef struct juicebus_batch {
    juicebus_event *events;
    size_t count;
    const void *data; /* one block of memory with all names, topics and payloads */
    size_t data_size; /* bytes */
    uint64_t slow;    /* how often the subscriber has begun to drop for want of room */
} juicebus_batch;

/* Checks a payload as publishing does. Does not block; any thread.
 *
 * A payload is a CBOR map (RFC 8949; also behind the self-described tag 55799)
 * or a JSON object. CBOR: definite lengths only, text keys without duplicates,
 * valid UTF-8, nothing behind the map, nested at most 400 deep, and the tags
 * 0-4, 37, 40, 64-87 and 55799 only. JSON: UTF-8 text of one object that begins
 * with '{'. Juice's event classes give `time` the receiver's clock if the sender
 * leaves it out.
 *
 * Returns OK, or E_PAYLOAD with the reason and its offset in
 * juicebus_last_error(). */
int juicebus_payload_check(const void *payload, size_t payload_size);

/* What a full queue does. */
#define JUICEBUS_OVERFLOW_BLOCK 0       /* publish waits for room (publishers only) */
#define JUICEBUS_OVERFLOW_DROP_OLDEST 1 /* the event that has waited longest goes, and is counted */
#define JUICEBUS_OVERFLOW_DROP_NEWEST 2 /* the event that comes goes, and is counted */

/* ---- Publisher ---------------------------------------------------------- */

typedef struct juicebus_publisher_options {
    size_t struct_size;      /* sizeof this struct; options_init sets it */
    int64_t max_events;      /* events queued while they cannot be sent; default 100,000; 0: none */
    int64_t max_event_bytes; /* key and payload of one event; default 64 MiB; at least 1 */
    int32_t bind;            /* 1: listen at the URI instead of connecting to a proxy; default 0 */
    int32_t check_payload;   /* 0: publish does not check payloads; default 1 */
    int64_t max_bytes;       /* the same queue, keys and payloads; default 64 MiB; at least 1 */
    int32_t overflow;        /* JUICEBUS_OVERFLOW_…: what the full queue does; default BLOCK */
    int32_t heartbeat_ms;    /* after three without an answer the connection is dead and made
                              * anew; default 1,000; up to 1,800,000; 0: none, as with bind */
    int32_t msgpack;         /* 1: a payload that begins like a map of MessagePack is one, without
                              * extensions but timestamps, and sent as CBOR; default 0 */
    int32_t reserved;        /* 0 */
} juicebus_publisher_options;

/* Fills in the defaults: options_init(&options, sizeof options). With the size,
 * a program built against an older header, whose struct was smaller, goes on
 * working; what its options lack has its default. E_INVALID: NULL, or a size
 * smaller than any version had (16), or over 4,096. */
int juicebus_publisher_options_init(juicebus_publisher_options *options, size_t struct_size);

/* Opens a publisher for the proxy's publisher port, e.g. "tcp://127.0.0.1:5122"
 * or "ipc:///run/juice/pub". Does not block, and needs no proxy yet: the
 * connection is made in the background, and again whenever it is lost. A host
 * that does not resolve yet is no error either.
 *
 * Returns OK, E_URI, E_INVALID (an option), E_SYSTEM (with `bind`: the address
 * is taken). */
int juicebus_publisher_open(const char *uri, const juicebus_publisher_options *options,
                            juicebus_publisher_t *publisher);

/* Publishes one event.
 *
 * While there is no connection, the first time or after an outage, events wait in
 * order in a queue bounded by max_events and max_bytes, and go out when the proxy is
 * there. Connected, they go to the network at once, and into the queue if that does
 * not keep up. When the queue is full, publish blocks up to timeout_ms, or drops as
 * `overflow` says. (With `bind` there is no queue: it waits while nobody has
 * subscribed to anything, and a subscriber that cannot keep up loses events, which
 * stats count as dropped.)
 *
 * `name`: not empty; `topic`: may be NULL; neither holds a NUL, both together
 * have at most 1,024 bytes. `payload`: CBOR or JSON, see
 * juicebus_payload_check.
 *
 * Returns OK: sent to the network, or queued. TIMEOUT: the queue stayed full.
 * E_NOT_CONNECTED: there is no proxy, and with max_events 0 no queue (at once), with
 * `bind` no subscriber (after timeout_ms); the text says why. CLOSED, E_INVALID,
 * E_PAYLOAD, E_TOO_LARGE. */
int juicebus_publisher_publish(juicebus_publisher_t publisher, const char *name, const char *topic,
                               const void *payload, size_t payload_size, int64_t timeout_ms);

/* Publishes many events, in order, in one crossing.
 *
 * An event with frame_count > 0 is sent with exactly these payload frames, more
 * or fewer than one unchecked; else with `payload` as its one frame. `unchecked` is for
 * event classes whose one frame is neither CBOR nor JSON. Blocks and
 * fails as publish does, at the first event that cannot be sent.
 *
 * `sent`: how many of them were accepted. May be NULL. The exception to the rule
 * on outputs: it is written also on TIMEOUT, CLOSED and errors, once the
 * arguments are not NULL, so that you can go on behind the event that failed. */
int juicebus_publisher_publish_many(juicebus_publisher_t publisher, const juicebus_event *events,
                                    size_t count, int64_t timeout_ms, size_t *sent);

/* Added to an event's number of frames: they are sent as they are. */
#define JUICEBUS_PACKED_UNCHECKED 0x80000000u

/* The same for events in one run of bytes, for languages in which an array of structs is
 * dear. Each event is, without gaps and in this machine's byte order: three uint32_t,
 * the sizes of name and topic without their NULs and the number of payload frames, plus
 * JUICEBUS_PACKED_UNCHECKED; a uint32_t for each frame, its size; the name, a NUL, the
 * topic, a NUL; the frames.
 *
 * Returns as publish_many; E_INVALID if the bytes are not that, and nothing is sent. */
int juicebus_publisher_publish_packed(juicebus_publisher_t publisher, const void *data, size_t size,
                                      int64_t timeout_ms, size_t *sent);

/* Sends a multipart message as it is: the key `<name>.` or `<name>.<topic>.`,
 * then the payload frames. For relays, and for event classes with frames of
 * their own; payloads are not checked. Blocks as publish does.
 *
 * Returns as publish; E_INVALID if the first frame is not a key (a final dot,
 * valid UTF-8, no NUL, at most 1,026 bytes). */
int juicebus_publisher_send_frames(juicebus_publisher_t publisher, const juicebus_frame *frames,
                                   size_t frame_count, int64_t timeout_ms);

/* The same for frames in one run of bytes: a uint32_t, their number; a uint32_t for each,
 * its size; the frames. */
int juicebus_publisher_send_packed(juicebus_publisher_t publisher, const void *data, size_t size,
                                   int64_t timeout_ms);

/* Waits until the proxy is connected and has asked for events (with `bind`:
 * until there is a subscriber). Returns OK, CLOSED, or when the time is up
 * E_NOT_CONNECTED with the reason, never TIMEOUT. */
int juicebus_publisher_wait_connected(juicebus_publisher_t publisher, int64_t timeout_ms);

/* Waits until everything published so far has reached the proxy, which confirms it.
 *
 * Returns OK, TIMEOUT, for which juicebus_last_error() has the reason, CLOSED, or
 * UNCONFIRMED: it cannot be known, because this is a legacy proxy (after 1 s), because
 * its subscriber side cannot be reached from here (after 1 s), or because a connection
 * was lost on the way and events with it, maybe; that is told once, and stats keep it in
 * `unconfirmed`. */
int juicebus_publisher_flush(juicebus_publisher_t publisher, int64_t timeout_ms);

/* As flush, for the first `events` of those that were accepted (stats count them):
 * for callers that wait in slices while others go on publishing. */
int juicebus_publisher_flush_first(juicebus_publisher_t publisher, uint64_t events,
                                   int64_t timeout_ms);

/* A file descriptor for poll, epoll or an event loop: once publish with
 * timeout 0 has returned TIMEOUT or E_NOT_CONNECTED, it becomes readable when it
 * is worth trying again. It is yours to close, before or after the publisher;
 * do not read from it. Returns OK, CLOSED, E_SYSTEM. */
int juicebus_publisher_fd(juicebus_publisher_t publisher, int *fd);

struct juicebus_publisher_stats {
    size_t struct_size;  /* you set it: sizeof this struct; no more is filled in */
    uint64_t events;     /* events accepted: sent to the network, or queued */
    uint64_t bytes;      /* their keys and payloads */
    uint64_t dropped;    /* by `overflow`; with `bind`: that at least one slow subscriber lost */
    uint64_t reconnects; /* connections made after the first */
    int32_t connected;   /* 1: a proxy (with `bind`: a subscriber) is there; up to 0.1 s old */
    int32_t reserved;    /* 0 */
    uint64_t pending_events; /* in the queue */
    uint64_t pending_bytes;  /* their keys and payloads */
    uint64_t unconfirmed;    /* sent, and not known to have reached a proxy: at most so many can be
                           * lost with one; flush makes it small; with `bind`: 0 */
    int64_t connected_since_unix_ns; /* of the connection that is there; 0: none */
};

/* The counts since it was opened. Returns OK, CLOSED, E_INVALID (struct_size). */
int juicebus_publisher_stats(juicebus_publisher_t publisher,
                             struct juicebus_publisher_stats *stats);

/* Closes the publisher and waits up to timeout_ms until what is queued has been
 * handed to the network. Threads that wait in the handle return CLOSED.
 *
 * Returns OK: nothing is left. TIMEOUT: not known to be done; the library goes on for
 * up to 1 s from the call while the process lives (juicebus_wait_closed waits for
 * that). Without a connection in that time the queued events are given up. A second
 * close: OK. */
int juicebus_publisher_close(juicebus_publisher_t publisher, int64_t timeout_ms);

/* The same, and says with TIMEOUT, too, how many events are left: at most so many
 * have not been handed over. Called again on a publisher that has not handed over
 * everything, it goes on waiting: for callers that wait in slices. */
int juicebus_publisher_close_counted(juicebus_publisher_t publisher, int64_t timeout_ms,
                                     uint64_t *left);

/* Waits until every publisher closed so far has handed over its events or given up.
 * For the end of a process that closed publishers with timeout 0. `given_up`: how many
 * events those gave up, at most, since the last call, that no close waited for; may be
 * NULL; written with TIMEOUT too. Returns OK or TIMEOUT. */
int juicebus_wait_closed(int64_t timeout_ms, uint64_t *given_up);

/* ---- Subscriber --------------------------------------------------------- */

typedef struct juicebus_subscriber_options {
    size_t struct_size;      /* sizeof this struct; options_init sets it */
    int64_t max_events;      /* events kept while nobody takes them; default 100,000; at least 1 */
    int64_t max_event_bytes; /* larger events are dropped and counted; default 64 MiB */
    int64_t max_bytes;       /* memory of the events kept; default 64 MiB; at least 1 */
    int32_t overflow;        /* what the full queue does; default JUICEBUS_OVERFLOW_DROP_OLDEST */
    int32_t heartbeat_ms;    /* as a publisher's */
    int32_t msgpack; /* 1: hand out CBOR payloads up to 4 KiB as MessagePack, if that holds the same
                      * (no tags but times in UTC); for languages that read it faster; default 0 */
    int32_t reserved; /* 0 */
} juicebus_subscriber_options;

/* As juicebus_publisher_options_init. */
int juicebus_subscriber_options_init(juicebus_subscriber_options *options, size_t struct_size);

/* Opens a subscriber for the proxy's subscriber port, e.g.
 * "tcp://127.0.0.1:5123". Does not block; connects and reconnects in the
 * background. It receives nothing before its first subscription.
 *
 * Returns OK, E_URI, E_INVALID (an option), E_SYSTEM. */
int juicebus_subscriber_open(const char *uri, const juicebus_subscriber_options *options,
                             juicebus_subscriber_t *subscriber);

/* Subscribes to events of one name, and of one topic if it is not NULL or "".
 * The topic "a.b" takes in "a.b" and "a.b.c", not "a.bb". Does not block, may be
 * called while other threads wait for events; the subscription becomes live
 * shortly after. The same name and topic twice is once.
 *
 * Returns OK, CLOSED, E_INVALID (as publish), E_AMBIGUOUS: the name is a dotted
 * prefix of another subscribed name or the other way round ("A" and "A.B"), so
 * that it could not be told to whom an event belongs; both are named in the
 * text and what was subscribed before stays. */
int juicebus_subscriber_subscribe(juicebus_subscriber_t subscriber, const char *name,
                                  const char *topic);

/* Ends one subscription. Events of it that are already here may still come.
 * With its last topic the name is free again. Returns OK, also if there was no
 * such subscription; CLOSED, E_INVALID. */
int juicebus_subscriber_unsubscribe(juicebus_subscriber_t subscriber, const char *name,
                                    const char *topic);

/* Waits until all subscriptions made so far are live: the proxy has confirmed them,
 * and from then on `lost` is exact for them. Events that come meanwhile are kept.
 * Returns OK, TIMEOUT, for which juicebus_last_error() has the reason, CLOSED, or
 * UNCONFIRMED: this is a legacy proxy (after 1 s). */
int juicebus_subscriber_ready(juicebus_subscriber_t subscriber, int64_t timeout_ms);

/* Takes the next event; blocks up to timeout_ms for it. On OK, the event's
 * memory is yours: give it to juicebus_event_free.
 *
 * Payloads are passed on whatever they are: look at event->format before you
 * decode. What is no event at all (a key without a final dot or not UTF-8, a
 * name that nobody subscribed to) and what exceeds max_event_bytes is skipped
 * and counted.
 *
 * Returns OK, TIMEOUT, CLOSED. */
int juicebus_subscriber_get(juicebus_subscriber_t subscriber, int64_t timeout_ms,
                            juicebus_event *event);

/* Frees what juicebus_subscriber_get gave, and clears it. NULL and a cleared
 * event are fine; events inside a batch are the batch's. Always OK. */
int juicebus_event_free(juicebus_event *event);

/* Takes up to `max` events: waits up to timeout_ms for the first, then takes
 * what is there without waiting, in one crossing. It takes at most 1,024 events
 * or about 1 MiB of payload at a time (always at least one event); what remains
 * is there for the next call. On OK there is at least one event, and the memory
 * is yours: give it to juicebus_batch_free.
 *
 * Returns OK, TIMEOUT, CLOSED, E_INVALID (`max` 0). */
int juicebus_subscriber_get_many(juicebus_subscriber_t subscriber, size_t max, int64_t timeout_ms,
                                 juicebus_batch *batch);

/* Frees a batch and clears it. NULL and a cleared batch are fine. Always OK. */
int juicebus_batch_free(juicebus_batch *batch);

/* A file descriptor that is readable while an event waits (level-triggered),
 * and for good once the subscriber is closed: for poll, epoll, Qt, asyncio.
 * When it is readable, call get or get_many with timeout 0 until TIMEOUT: it can
 * be readable although nothing is there. It is yours to close, before or after
 * the subscriber; do not read from it. Returns OK, CLOSED, E_SYSTEM. */
int juicebus_subscriber_fd(juicebus_subscriber_t subscriber, int *fd);

struct juicebus_subscriber_stats {
    size_t struct_size;      /* you set it: sizeof this struct; no more is filled in */
    uint64_t events;         /* events taken by get and get_many */
    uint64_t bytes;          /* their keys and payloads */
    uint64_t dropped;        /* received, and dropped for want of room or over max_event_bytes */
    uint64_t skipped;        /* received, but no event, or of a name not subscribed to */
    int64_t lost;            /* events for it that it will never get, `dropped` included, those that
                          * wait not; at most 0.25 s old; -1: not known (a legacy proxy) */
    uint64_t reconnects;     /* connections made after the first */
    int32_t connected;       /* 1: the proxy is there; up to 0.1 s old */
    int32_t reserved;        /* 0 */
    uint64_t pending_events; /* kept because nobody took them */
    uint64_t pending_bytes;  /* their keys and payloads */
    uint64_t slow;           /* how often it has begun to drop for want of room */
    int64_t connected_since_unix_ns; /* of the connection that is there; 0: none */
};

/* The counts since it was opened. Returns OK, CLOSED, E_INVALID (struct_size). */
int juicebus_subscriber_stats(juicebus_subscriber_t subscriber,
                              struct juicebus_subscriber_stats *stats);

/* Closes the subscriber: waiting threads return CLOSED at once, events not yet
 * taken are gone, events already taken stay valid. Does not block. A second
 * close: OK. */
int juicebus_subscriber_close(juicebus_subscriber_t subscriber);

/* ---- Notices ------------------------------------------------------------ */

#define JUICEBUS_NOTICE_CONNECTED 1    /* the connection is made */
#define JUICEBUS_NOTICE_DISCONNECTED 2 /* the connection is lost; the library goes on trying */
#define JUICEBUS_NOTICE_SLOW 3 /* a queue is full and events are dropped; once for each such time */
#define JUICEBUS_NOTICE_REFUSED 4 /* who answers is no such side of a proxy; tried again */

typedef struct juicebus_notice {
    int32_t kind;         /* JUICEBUS_NOTICE_… ; new kinds may come: ignore what you do not know */
    int32_t reserved;     /* 0 */
    int64_t time_unix_ns; /* when the library saw it, in nanoseconds since 1970 in UTC */
    char text[256];       /* what happened, to which address; for a log */
} juicebus_notice;

/* Takes the oldest unread notice of a publisher or subscriber. Does not block.
 * The latest 64 are kept. Returns OK, TIMEOUT if there is none, CLOSED. */
int juicebus_next_notice(uint64_t handle, juicebus_notice *notice);

/* A file descriptor that is readable while a notice waits, and for good once the
 * handle is closed. As juicebus_subscriber_fd. */
int juicebus_next_notice_fd(uint64_t handle, int *fd);

/* ---- Proxy -------------------------------------------------------------- */

typedef struct juicebus_proxy_options {
    size_t struct_size;      /* sizeof this struct; options_init sets it */
    int64_t hold_ms;         /* see juicebus_proxy_open; default 500; 0: none */
    int64_t max_event_bytes; /* larger ones are refused; default 64 MiB */
    int64_t max_keys;        /* keys whose counts are kept; the oldest goes first; default 10,000 */
    int64_t max_bytes;       /* memory of what waits for slow subscribers, all together; default
                              * 64 MiB; see juicebus_proxy_open */
    int64_t max_subscriptions; /* of one subscriber, of 64 bytes on average; beyond that it is cut
                                * off; each of its filters costs two; default 25,000 */
} juicebus_proxy_options;

/* As juicebus_publisher_options_init. */
int juicebus_proxy_options_init(juicebus_proxy_options *options, size_t struct_size);

/* Opens a proxy inside this process and forwards, on a thread of its own, until
 * it is closed. `pub_uri` is where publishers connect, `sub_uri` where
 * subscribers do: "tcp://127.0.0.1:5122", port 0 for any free port,
 * "tcp://[*]:5122" or "tcp://" followed by * and the port for every interface,
 * or "ipc://" and a path.
 *
 * For its first hold_ms the proxy keeps what publishers send, and then forwards
 * it in order: after a restart publishers are often back before subscribers are,
 * and nothing they send meanwhile should miss them.
 *
 * A subscriber that cannot keep up never stops the others: what waits for it is kept
 * up to max_bytes; then it is cut off, may connect again, and its `lost` says what it
 * has missed. Also cut off is who sends a frame over max_event_bytes or a message
 * without an end, breaks the protocol, or makes too many subscriptions.
 *
 * Returns OK, E_URI, E_INVALID (an option), E_SYSTEM (an address is taken). */
int juicebus_proxy_open(const char *pub_uri, const char *sub_uri,
                        const juicebus_proxy_options *options, juicebus_proxy_t *proxy);

/* The addresses it listens at, with real port numbers, NUL-terminated. Returns
 * OK, CLOSED, E_INVALID if a buffer is too small (512 bytes are always enough). */
int juicebus_proxy_uris(juicebus_proxy_t proxy, char *pub_uri, size_t pub_uri_size, char *sub_uri,
                        size_t sub_uri_size);

/* What one key has had through the proxy. */
typedef struct juicebus_key_count {
    const char *key;           /* as on the wire, `<name>.<topic>.`; any bytes; NUL-terminated */
    size_t key_size;           /* bytes without the NUL */
    uint64_t events;           /* forwarded since the proxy was opened */
    uint64_t bytes;            /* their keys and payloads */
    int64_t last_seen_unix_ns; /* when the last one was forwarded, in ns since 1970 in UTC */
} juicebus_key_count;

typedef struct juicebus_key_batch {
    juicebus_key_count *keys;
    size_t count;
} juicebus_key_batch;

/* The keys that have been forwarded since the last call (at first: since it was
 * opened), with their counts. Does not block. On OK, which needs at least one,
 * give the memory to juicebus_key_batch_free. TIMEOUT: none; CLOSED. */
int juicebus_proxy_keys(juicebus_proxy_t proxy, juicebus_key_batch *batch);

/* Frees a key batch and clears it. NULL and a cleared one are fine. Always OK. */
int juicebus_key_batch_free(juicebus_key_batch *batch);

/* A file descriptor that is readable while juicebus_proxy_keys has something,
 * and for good once the proxy is closed or has failed. As
 * juicebus_subscriber_fd. */
int juicebus_proxy_fd(juicebus_proxy_t proxy, int *fd);

struct juicebus_proxy_stats {
    size_t struct_size; /* you set it: sizeof this struct; no more is filled in */
    uint64_t events;    /* events forwarded */
    uint64_t bytes;     /* their keys and payloads */
    uint64_t refused;   /* events over max_event_bytes in all, or on a reserved key */
    uint64_t keys;      /* keys whose counts are kept */
    uint64_t cut_off;   /* peers that were disconnected for breaking a limit or the protocol */
};

/* The counts since it was opened; they, and the keys, follow the events by a
 * moment. Returns OK, CLOSED, E_INVALID (struct_size). */
int juicebus_proxy_stats(juicebus_proxy_t proxy, struct juicebus_proxy_stats *stats);

/* Stops forwarding and frees the addresses. Does not wait for slow subscribers.
 * A second close: OK. */
int juicebus_proxy_close(juicebus_proxy_t proxy);

#ifdef __cplusplus
}
#endif

#endif
