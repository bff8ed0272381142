/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * The private border between the trampolines in C and the exports in Go. cgo
 * includes it, so the compiler checks both sides against the same prototypes.
 *
 * The trampolines do what must happen outside Go: NULL checks, the fork flag,
 * waiting, the thread's error text. An export does: recover, look up the handle,
 * one call into core.
 */
#ifndef JUICEBUS_EXPORTS_H
#define JUICEBUS_EXPORTS_H

#include "../include/juicebus.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cgo has no const. */
typedef const char cchar_t;
typedef const void cvoid_t;
typedef const juicebus_event cevent_t;
typedef const juicebus_frame cframe_t;

/* A private status: nothing yet; wait, and try again. An export says it only to a
 * caller who will wait; else it has the last word. */
#define GOJB_AGAIN 1000

/* A handle is a kind, a generation and an index; see handles.go. */
#define GOJB_INDEX_BITS 24
#define GOJB_KIND_SHIFT 56
#define GOJB_PUBLISHER 1
#define GOJB_SUBSCRIBER 2
#define GOJB_PROXY 3

/* Let callers use an end past Go as long as the handle is open; called from Go. */
void gojb_end_open(uint64_t handle, uintptr_t end);
void gojb_end_close(uint64_t handle);

/* Sets the calling thread's error text; called from Go, on the caller's thread. */
void gojb_set_error(cchar_t *text, size_t size);

struct jb_block;

int gojb_payload_check(cvoid_t *payload, size_t payload_size);

int gojb_publisher_open(cchar_t *uri, juicebus_publisher_options *options, uint64_t *publisher);
int gojb_publisher_publish(uint64_t publisher, cevent_t *events, size_t count, int msgpack,
                           size_t *sent, int will_wait);
int gojb_publisher_send_frames(uint64_t publisher, cframe_t *frames, size_t frame_count,
                               int will_wait);
int gojb_publisher_wait_connected(uint64_t publisher, int will_wait);
int gojb_publisher_events(uint64_t publisher, uint64_t *events);
int gojb_publisher_flush(uint64_t publisher, uint64_t events, int will_wait);
int gojb_publisher_fd(uint64_t publisher, int *fd);
int gojb_publisher_stats(uint64_t publisher, struct juicebus_publisher_stats *stats);
int gojb_publisher_close(uint64_t publisher, int64_t timeout_ms, int go_on, uint64_t *left);
int gojb_wait_closed(int64_t timeout_ms, uint64_t *given_up);

int gojb_subscriber_open(cchar_t *uri, juicebus_subscriber_options *options, uint64_t *subscriber);
int gojb_subscriber_subscribe(uint64_t subscriber, cchar_t *name, cchar_t *topic);
int gojb_subscriber_unsubscribe(uint64_t subscriber, cchar_t *name, cchar_t *topic);
int gojb_subscriber_ready(uint64_t subscriber, int will_wait);
int gojb_subscriber_take(uint64_t subscriber, size_t max, struct jb_block **block, uint64_t *slow,
                         int will_wait);
int gojb_subscriber_fd(uint64_t subscriber, int *fd);
int gojb_subscriber_stats(uint64_t subscriber, struct juicebus_subscriber_stats *stats);
int gojb_subscriber_close(uint64_t subscriber);

int gojb_next_notice(uint64_t handle, juicebus_notice *notice);
int gojb_next_notice_fd(uint64_t handle, int *fd);

int gojb_proxy_open(cchar_t *pub_uri, cchar_t *sub_uri, juicebus_proxy_options *options,
                    uint64_t *proxy);
int gojb_proxy_uris(uint64_t proxy, char *pub_uri, size_t pub_uri_size, char *sub_uri,
                    size_t sub_uri_size);
int gojb_proxy_keys(uint64_t proxy, juicebus_key_batch *batch);
int gojb_proxy_fd(uint64_t proxy, int *fd);
int gojb_proxy_stats(uint64_t proxy, struct juicebus_proxy_stats *stats);
int gojb_proxy_close(uint64_t proxy);

#ifdef __cplusplus
}
#endif

#endif
