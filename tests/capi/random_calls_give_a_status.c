// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Three threads call every function of juicebus.h at random: with handles that are
// open, closed, of another kind, one bit beside a real one or any number at all; with
// pointers that are NULL or good; with sizes and times that no call should have. Each
// call gives one of the statuses that the header lists, never a crash, and afterwards
// the library still works. Arguments: how many calls, and the seed.
#include "bus.h"

#include <pthread.h>

enum { THREADS = 3, SLOTS = 12, STALE = 64, BUFFER_SIZE = 4096 };

typedef struct caller {
    uint64_t random; // xorshift64
    long calls;
    long statuses[32]; // by status + 16
    char buffer[BUFFER_SIZE];
} caller;

// Handles that are, or were, open; all threads use and close them.
static uint64_t slots[SLOTS], stale[STALE];
static unsigned stale_count;
static char proxy_pub_uri[512], proxy_sub_uri[512];

static uint64_t next_random(caller *c) {
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random * UINT64_C(2685821657736338717) >> 16;
}

static size_t below(caller *c, size_t n) {
    return (size_t)(next_random(c) % n);
}

#define ONE_OF(c, list) ((list)[below(c, sizeof(list) / sizeof *(list))])

static uint64_t any_handle(caller *c) {
    uint64_t handle = __atomic_load_n(&slots[below(c, SLOTS)], __ATOMIC_RELAXED);
    switch (below(c, 6)) {
    case 0:
        return __atomic_load_n(&stale[below(c, STALE)], __ATOMIC_RELAXED);
    case 1:
        return handle ^ UINT64_C(1) << below(c, 64);
    case 2:
        return next_random(c) << 16 ^ next_random(c);
    case 3:
        return handle + below(c, 5) - 2;
    }
    return handle;
}

static int64_t any_time(caller *c) {
    static const int64_t times[] = {0, 0, 0, 0, 0, 0, 0, -2, INT64_MIN};
    return below(c, 512) == 0 ? 1 : ONE_OF(c, times);
}

static size_t any_size(caller *c) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 48};
    return below(c, 16) == 0 ? ONE_OF(c, sizes) : below(c, BUFFER_SIZE);
}

// Good memory, or NULL.
static void *maybe(caller *c, void *memory) {
    return below(c, 16) == 0 ? NULL : memory;
}

static const char *any_text(caller *c) {
    static const char *const texts[] = {"A", "A", "A", "", "B.c", ".", "\xff", "\xc3", "A.b"};
    return below(c, 16) == 0 ? NULL : ONE_OF(c, texts);
}

static const void *any_payload(caller *c, size_t *size) {
    static const struct {
        const char *bytes;
        size_t size;
    } payloads[] = {{EMPTY_MAP, 1}, {"{}", 2}, {"\xa1\x61\x61\x01", 4}, {"\xff", 1}, {"", 0}};
    size_t i = below(c, sizeof payloads / sizeof *payloads);
    *size = below(c, 32) == 0 ? any_size(c) : payloads[i].size;
    return *size <= payloads[i].size ? payloads[i].bytes : c->buffer;
}

static const char *any_uri(caller *c) {
    static const char *const uris[] = {
        proxy_pub_uri, proxy_sub_uri,       "",           "tcp://", "tcp://127.0.0.1:1",
        "x://y",       "tcp://127.0.0.1:0", "inproc://a", "\xff",   "tcp://127.0.0.1:99999"};
    return (const char *)maybe(c, (void *)ONE_OF(c, uris));
}

// A struct of which the first field may not be its size.
static void *any_struct(caller *c, size_t size) {
    static const size_t sizes[] = {0, 1, 8, 16, 24, 48, BUFFER_SIZE, BUFFER_SIZE + 1, SIZE_MAX};
    memset(c->buffer, 0, sizeof c->buffer);
    if (below(c, 4) == 0)
        size = ONE_OF(c, sizes);
    memcpy(c->buffer, &size, sizeof size);
    return maybe(c, c->buffer);
}

static void forget_fd(int status, int fd) {
    if (status == JUICEBUS_OK)
        close(fd);
}

// Puts a new handle into a slot and closes the one that was there, whatever it was.
static void keep(caller *c, int status, uint64_t handle) {
    if (status != JUICEBUS_OK)
        return;
    uint64_t old = __atomic_exchange_n(&slots[below(c, SLOTS)], handle, __ATOMIC_RELAXED);
    unsigned i = __atomic_fetch_add(&stale_count, 1, __ATOMIC_RELAXED) % STALE;
    __atomic_store_n(&stale[i], old, __ATOMIC_RELAXED);
    (void)juicebus_publisher_close(old, 0);
    (void)juicebus_subscriber_close(old);
    (void)juicebus_proxy_close(old);
}

// ---- One function each: a call with random arguments --------------------------

static int64_t any_limit(caller *c) {
    static const int64_t limits[] = {INT64_MIN, -1, 0, 1, 2, 1000, INT64_MAX};
    return ONE_OF(c, limits);
}

static int publisher_open(caller *c) {
    juicebus_publisher_options *options = (juicebus_publisher_options *)any_struct(c, 0);
    uint64_t handle;
    if (options && below(c, 4) > 0)
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(options, sizeof *options));
    if (options && below(c, 2) == 0) {
        options->max_events = any_limit(c);
        options->max_event_bytes = any_limit(c);
        options->bind = (int32_t)below(c, 2);
        options->check_payload = (int32_t)below(c, 2);
    }
    int status = juicebus_publisher_open(any_uri(c), options, (uint64_t *)maybe(c, &handle));
    keep(c, status, handle);
    return status;
}

static int subscriber_open(caller *c) {
    juicebus_subscriber_options *options = (juicebus_subscriber_options *)any_struct(c, 0);
    uint64_t handle;
    if (options && below(c, 4) > 0)
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_options_init(options, sizeof *options));
    if (options && below(c, 2) == 0) {
        options->max_events = any_limit(c);
        options->max_event_bytes = any_limit(c);
    }
    int status = juicebus_subscriber_open(any_uri(c), options, (uint64_t *)maybe(c, &handle));
    keep(c, status, handle);
    return status;
}

static int proxy_open(caller *c) {
    const char *any_port = below(c, 2) ? "tcp://127.0.0.1:0" : any_uri(c);
    uint64_t handle;
    int status =
        juicebus_proxy_open(any_port, "tcp://127.0.0.1:0", NULL, (uint64_t *)maybe(c, &handle));
    keep(c, status, handle);
    return status;
}

static int publisher_close(caller *c) {
    return juicebus_publisher_close(any_handle(c), any_time(c));
}

static int publisher_close_counted(caller *c) {
    uint64_t left;
    return juicebus_publisher_close_counted(any_handle(c), any_time(c),
                                            (uint64_t *)maybe(c, &left));
}

static int subscriber_close(caller *c) {
    return juicebus_subscriber_close(any_handle(c));
}

static int proxy_close(caller *c) {
    return juicebus_proxy_close(any_handle(c));
}

static int publisher_options_init(caller *c) {
    return juicebus_publisher_options_init((juicebus_publisher_options *)maybe(c, c->buffer),
                                           any_size(c));
}

static int subscriber_options_init(caller *c) {
    return juicebus_subscriber_options_init((juicebus_subscriber_options *)maybe(c, c->buffer),
                                            any_size(c));
}

static int proxy_options_init(caller *c) {
    return juicebus_proxy_options_init((juicebus_proxy_options *)maybe(c, c->buffer), any_size(c));
}

static int payload_check(caller *c) {
    size_t size;
    const void *payload = any_payload(c, &size);
    return juicebus_payload_check(maybe(c, (void *)payload), size);
}

static int publisher_publish(caller *c) {
    size_t size;
    const void *payload = any_payload(c, &size);
    return juicebus_publisher_publish(any_handle(c), any_text(c), any_text(c),
                                      maybe(c, (void *)payload), size, any_time(c));
}

static juicebus_frame any_frame(caller *c) {
    juicebus_frame frame;
    const void *payload = any_payload(c, &frame.size);
    if (below(c, 2) == 0) {
        payload = "A.";
        frame.size = 2;
    }
    frame.data = maybe(c, (void *)payload);
    return frame;
}

static int publisher_publish_many(caller *c) {
    juicebus_frame frames[3] = {any_frame(c), any_frame(c), any_frame(c)};
    juicebus_event events[3];
    size_t sent;
    memset(events, 0, sizeof events);
    for (size_t i = 0; i < 3; i++) {
        events[i].name = any_text(c);
        events[i].topic = any_text(c);
        events[i].payload = any_payload(c, &events[i].payload_size);
        events[i].frames = (const juicebus_frame *)maybe(c, frames);
        events[i].frame_count = below(c, 4);
    }
    return juicebus_publisher_publish_many(any_handle(c), (juicebus_event *)maybe(c, events),
                                           below(c, 4), any_time(c), (size_t *)maybe(c, &sent));
}

static int publisher_send_frames(caller *c) {
    juicebus_frame frames[3] = {any_frame(c), any_frame(c), any_frame(c)};
    return juicebus_publisher_send_frames(any_handle(c), (juicebus_frame *)maybe(c, frames),
                                          below(c, 4), any_time(c));
}

// Small numbers mostly, so that some of it is packed as it should be.
static size_t any_packed(caller *c, char bytes[64]) {
    size_t size = below(c, 65);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(below(c, 4) == 0 ? below(c, 256) : below(c, 2));
    return size;
}

static int publisher_publish_packed(caller *c) {
    char bytes[64];
    size_t sent, size = any_packed(c, bytes);
    return juicebus_publisher_publish_packed(any_handle(c), maybe(c, bytes), size, any_time(c),
                                             (size_t *)maybe(c, &sent));
}

static int publisher_send_packed(caller *c) {
    char bytes[64];
    size_t size = any_packed(c, bytes);
    return juicebus_publisher_send_packed(any_handle(c), maybe(c, bytes), size, any_time(c));
}

static int publisher_wait_connected(caller *c) {
    return juicebus_publisher_wait_connected(any_handle(c), any_time(c));
}

static int publisher_flush(caller *c) {
    return juicebus_publisher_flush(any_handle(c), any_time(c));
}

static int publisher_flush_first(caller *c) {
    return juicebus_publisher_flush_first(any_handle(c), below(c, 10), any_time(c));
}

static int publisher_fd(caller *c) {
    int fd = -1, status = juicebus_publisher_fd(any_handle(c), (int *)maybe(c, &fd));
    forget_fd(status, fd);
    return status;
}

static int publisher_stats(caller *c) {
    struct juicebus_publisher_stats *stats =
        (struct juicebus_publisher_stats *)any_struct(c, sizeof *stats);
    return juicebus_publisher_stats(any_handle(c), stats);
}

static int wait_closed(caller *c) {
    uint64_t given_up;
    return juicebus_wait_closed(any_time(c), (uint64_t *)maybe(c, &given_up));
}

static int subscriber_subscribe(caller *c) {
    return juicebus_subscriber_subscribe(any_handle(c), any_text(c), any_text(c));
}

static int subscriber_unsubscribe(caller *c) {
    return juicebus_subscriber_unsubscribe(any_handle(c), any_text(c), any_text(c));
}

static int subscriber_ready(caller *c) {
    return juicebus_subscriber_ready(any_handle(c), any_time(c));
}

static int subscriber_get(caller *c) {
    juicebus_event event, *target = (juicebus_event *)maybe(c, &event);
    int status = juicebus_subscriber_get(any_handle(c), any_time(c), target);
    if (status == JUICEBUS_OK)
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    return status;
}

static int subscriber_get_many(caller *c) {
    juicebus_batch batch, *target = (juicebus_batch *)maybe(c, &batch);
    size_t max = below(c, 4) ? below(c, 5) : any_size(c);
    int status = juicebus_subscriber_get_many(any_handle(c), max, any_time(c), target);
    if (status == JUICEBUS_OK)
        CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
    return status;
}

static int subscriber_fd(caller *c) {
    int fd = -1, status = juicebus_subscriber_fd(any_handle(c), (int *)maybe(c, &fd));
    forget_fd(status, fd);
    return status;
}

static int subscriber_stats(caller *c) {
    struct juicebus_subscriber_stats *stats =
        (struct juicebus_subscriber_stats *)any_struct(c, sizeof *stats);
    return juicebus_subscriber_stats(any_handle(c), stats);
}

static int next_notice(caller *c) {
    juicebus_notice notice;
    return juicebus_next_notice(any_handle(c), (juicebus_notice *)maybe(c, &notice));
}

static int next_notice_fd(caller *c) {
    int fd = -1, status = juicebus_next_notice_fd(any_handle(c), (int *)maybe(c, &fd));
    forget_fd(status, fd);
    return status;
}

static int proxy_uris(caller *c) {
    char pub_uri[512], sub_uri[512];
    size_t pub_size = below(c, 8) ? sizeof pub_uri : below(c, 20);
    size_t sub_size = below(c, 8) ? sizeof sub_uri : below(c, 20);
    return juicebus_proxy_uris(any_handle(c), (char *)maybe(c, pub_uri), pub_size,
                               (char *)maybe(c, sub_uri), sub_size);
}

static int proxy_keys(caller *c) {
    juicebus_key_batch keys, *target = (juicebus_key_batch *)maybe(c, &keys);
    int status = juicebus_proxy_keys(any_handle(c), target);
    if (status == JUICEBUS_OK)
        CHECK_STATUS(JUICEBUS_OK, juicebus_key_batch_free(&keys));
    return status;
}

static int proxy_fd(caller *c) {
    int fd = -1, status = juicebus_proxy_fd(any_handle(c), (int *)maybe(c, &fd));
    forget_fd(status, fd);
    return status;
}

static int proxy_stats(caller *c) {
    struct juicebus_proxy_stats *stats =
        (struct juicebus_proxy_stats *)any_struct(c, sizeof *stats);
    return juicebus_proxy_stats(any_handle(c), stats);
}

static int frees_of_nothing(caller *c) {
    juicebus_event event;
    juicebus_batch batch;
    juicebus_key_batch keys;
    memset(&event, 0, sizeof event);
    memset(&batch, 0, sizeof batch);
    memset(&keys, 0, sizeof keys);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free((juicebus_event *)maybe(c, &event)));
    CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free((juicebus_batch *)maybe(c, &batch)));
    return juicebus_key_batch_free((juicebus_key_batch *)maybe(c, &keys));
}

static int texts_of_the_library(caller *c) {
    CHECK(strlen(juicebus_status_text((int)next_random(c))) > 0);
    CHECK(strlen(juicebus_last_error()) < BUFFER_SIZE);
    CHECK_TEXT(JUICEBUS_VERSION, juicebus_version());
    CHECK(juicebus_abi_version() == JUICEBUS_ABI_VERSION);
    return JUICEBUS_OK;
}

typedef int (*random_call)(caller *c);

// What opens and closes sockets costs a thousand times a refusal: one call in a thousand.
static const random_call rare[] = {publisher_open,  subscriber_open,         proxy_open,
                                   publisher_close, publisher_close_counted, subscriber_close,
                                   proxy_close};

static const random_call frequent[] = {publisher_options_init,
                                       subscriber_options_init,
                                       proxy_options_init,
                                       payload_check,
                                       publisher_publish,
                                       publisher_publish_many,
                                       publisher_publish_packed,
                                       publisher_send_frames,
                                       publisher_send_packed,
                                       publisher_wait_connected,
                                       publisher_flush,
                                       publisher_flush_first,
                                       publisher_fd,
                                       publisher_stats,
                                       wait_closed,
                                       subscriber_subscribe,
                                       subscriber_unsubscribe,
                                       subscriber_ready,
                                       subscriber_get,
                                       subscriber_get_many,
                                       subscriber_fd,
                                       subscriber_stats,
                                       next_notice,
                                       next_notice_fd,
                                       proxy_uris,
                                       proxy_keys,
                                       proxy_fd,
                                       proxy_stats,
                                       frees_of_nothing,
                                       texts_of_the_library};

static void *run(void *argument) {
    caller *c = (caller *)argument;
    for (long i = 0; i < c->calls; i++) {
        random_call call = below(c, 1000) == 0 ? ONE_OF(c, rare) : ONE_OF(c, frequent);
        int status = call(c);
        CHECK(status >= JUICEBUS_E_SYSTEM && status <= JUICEBUS_UNCONFIRMED);
        CHECK(status != JUICEBUS_E_PANIC && status != JUICEBUS_E_FORKED);
        c->statuses[status + 16]++;
    }
    return NULL;
}

// A bus that opens, delivers and closes.
static void works_still(void) {
    bus b = bus_open();
    juicebus_event event;
    subscribe(b.sub, "Still", NULL);
    settle(b.pub, b.sub);
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_publisher_publish(b.pub, "Still", NULL, EMPTY_MAP, 1, DEADLINE_MS));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_TEXT("Still", event.name);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    bus_close(b);
}

int main(int argc, char **argv) {
    long calls = argc > 1 ? atol(argv[1]) : 1000000, kinds = 0, done = 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)now_ms();
    static caller callers[THREADS];
    pthread_t threads[THREADS];
    bus b = bus_open();

    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    memcpy(proxy_pub_uri, b.pub_uri, sizeof proxy_pub_uri);
    memcpy(proxy_sub_uri, b.sub_uri, sizeof proxy_sub_uri);
    slots[0] = b.pub;
    slots[1] = b.sub;
    slots[2] = b.proxy;
    for (int i = 0; i < THREADS; i++) {
        callers[i].random = (seed + (uint64_t)i) * UINT64_C(0x9e3779b97f4a7c15) | 1;
        callers[i].calls = calls / THREADS + (i < calls % THREADS);
        CHECK(pthread_create(&threads[i], NULL, run, &callers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    works_still();
    for (int s = 0; s < 32; s++) {
        long count = 0;
        for (int i = 0; i < THREADS; i++)
            count += callers[i].statuses[s];
        if (count > 0)
            fprintf(stderr, "%10ld %s\n", count, juicebus_status_text(s - 16));
        kinds += count > 0;
        done += count;
    }
    CHECK(done == calls);
    printf("fault {\"row\": 13, \"figure\": \"%ld calls, %ld statuses, no crash\"}\n", done, kinds);
    return 0;
}
