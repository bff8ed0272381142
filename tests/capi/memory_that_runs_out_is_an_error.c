// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// The library's own C code gets n allocations and then no more: for every n, until one
// is enough, each call is done or says E_SYSTEM, nothing of what it had allocated is
// left, and once there is memory again the same handles work. Links to a library with
// faults.h, so only its own allocations fail. The proxy that the clients use is this
// program again, in a process of its own.
#include "../../capi/faults.h"
#include "thread.h"

#include <sys/wait.h>

enum { FRAMES = 300, LARGE = 100000 };

static int errors, limits;

// ---- The other process ----------------------------------------------------------

typedef struct other_process {
    pid_t id;
    int lifeline; // closing it ends the process
    char pub_uri[512], sub_uri[512];
} other_process;

static int be_a_proxy(void) {
    char pub_uri[512], sub_uri[512], end;
    juicebus_proxy_t proxy = proxy_open_at("tcp://127.0.0.1:0", "tcp://127.0.0.1:0");
    CHECK_STATUS(JUICEBUS_OK,
                 juicebus_proxy_uris(proxy, pub_uri, sizeof pub_uri, sub_uri, sizeof sub_uri));
    printf("%s %s\n", pub_uri, sub_uri);
    fflush(stdout);
    CHECK(read(STDIN_FILENO, &end, 1) == 0);
    return 0;
}

static other_process start_proxy(char *program) {
    char *const arguments[] = {program, (char *)"proxy", NULL};
    int to[2], from[2];
    other_process p;

    CHECK(pipe(to) == 0 && pipe(from) == 0);
    p.id = fork();
    CHECK(p.id >= 0);
    if (p.id == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close(to[1]);
        execv("/proc/self/exe", arguments);
        _exit(2);
    }
    close(to[0]);
    close(from[1]);
    FILE *said = fdopen(from[0], "r");
    CHECK(fscanf(said, "%511s %511s", p.pub_uri, p.sub_uri) == 2);
    fclose(said);
    p.lifeline = to[1];
    return p;
}

static void stop_proxy(other_process p) {
    int ended;
    close(p.lifeline);
    CHECK(waitpid(p.id, &ended, 0) == p.id && ended == 0);
}

// ---- What is published, and what becomes of it ------------------------------------

static juicebus_frame frames[1 + FRAMES];

static uint64_t published; // what the subscriber's figures must come to

static int send_frames(bus *b) {
    int status = juicebus_publisher_send_frames(b->pub, frames, 1 + FRAMES, DEADLINE_MS);
    published += status == JUICEBUS_OK;
    return status;
}

static struct juicebus_subscriber_stats stats_of(juicebus_subscriber_t sub) {
    struct juicebus_subscriber_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_stats(sub, &stats));
    return stats;
}

static struct juicebus_proxy_stats stats_of_proxy(juicebus_proxy_t proxy) {
    struct juicebus_proxy_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_stats(proxy, &stats));
    return stats;
}

// Whatever was published has been taken, or is counted: as dropped by the subscriber,
// or as refused by the proxy if that is in this process.
static void none_is_missing(bus *b) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    for (;;) {
        struct juicebus_subscriber_stats stats = stats_of(b->sub);
        uint64_t refused = b->proxy ? stats_of_proxy(b->proxy).refused : 0;
        juicebus_batch batch;
        if (stats.events + stats.dropped + refused >= published) {
            CHECK(stats.events + stats.dropped + refused == published);
            return;
        }
        CHECK(now_ms() < deadline_ms);
        if (juicebus_subscriber_get_many(b->sub, 1000, 100, &batch) == JUICEBUS_OK)
            CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
    }
}

// ---- One n after the other ------------------------------------------------------

// What closes in the background is freed in the background, as is what a proxy of this
// process knows of filters that are given up.
static void check_nothing_is_left(int64_t before) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    while (juicebus_fault_live_allocations() > before) {
        CHECK(now_ms() < deadline_ms);
        sched_yield();
    }
}

typedef int (*limited_call)(bus *b);

// `prepare` has all the memory there is, `call` n allocations; what it opened or took
// it gives back, and `after` takes the rest.
static void for_every_n(const char *name, bus *b, void (*prepare)(bus *b), limited_call call,
                        void (*after)(bus *b)) {
    for (int n = 0, failed = 1; failed > 0; n++) {
        int64_t before = juicebus_fault_live_allocations();
        prepare(b);
        juicebus_fault_allow_allocations(n);
        int status = call(b);
        failed = (int)juicebus_fault_failed_allocations();
        juicebus_fault_allow_allocations(-1);
        if (status != JUICEBUS_OK && (failed == 0 || status != JUICEBUS_E_SYSTEM)) {
            fprintf(stderr, "%s, with %d allocations:\n", name, n);
            CHECK_STATUS(failed > 0 ? JUICEBUS_E_SYSTEM : JUICEBUS_OK, status);
        }
        after(b);
        check_nothing_is_left(before);
        errors += status != JUICEBUS_OK;
        limits++;
    }
    fprintf(stderr, "%s\n", name);
}

static void nothing(bus *b) {
    (void)b;
}

static int open_publisher(bus *b) {
    juicebus_publisher_t pub;
    int status = juicebus_publisher_open(b->pub_uri, NULL, &pub);
    if (status == JUICEBUS_OK)
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(pub, DEADLINE_MS));
    return status;
}

static int open_subscriber(bus *b) {
    juicebus_subscriber_t sub;
    int status = juicebus_subscriber_open(b->sub_uri, NULL, &sub);
    if (status == JUICEBUS_OK)
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    return status;
}

static int open_proxy(bus *b) {
    juicebus_proxy_t proxy;
    (void)b;
    int status = juicebus_proxy_open("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", NULL, &proxy);
    if (status == JUICEBUS_OK)
        CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_close(proxy));
    return status;
}

// A thread has no error text yet: without memory it has an empty one, and the status.
static int fail_in_a_new_thread(uint64_t sub) {
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_subscriber_subscribe(sub, "", NULL));
    CHECK(juicebus_last_error()[0] == 0 || strstr(juicebus_last_error(), "empty") != NULL);
    return JUICEBUS_OK;
}

static int fail(bus *b) {
    waiter w;
    memset(&w, 0, sizeof w);
    w.call = fail_in_a_new_thread;
    w.handle = b->sub;
    CHECK(pthread_create(&w.thread, NULL, waiter_run, &w) == 0);
    return waiter_join(&w);
}

static void three_wait(bus *b) {
    int fd;
    for (int i = 0; i < 3; i++)
        CHECK_STATUS(JUICEBUS_OK, send_frames(b));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_fd(b->sub, &fd));
    CHECK(is_readable(fd, DEADLINE_MS));
    close(fd);
}

// Nobody takes them, so housekeeping brings them into the ring.
static void three_are_in_the_ring(bus *b) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    three_wait(b);
    while (stats_of(b->sub).pending_events < 3) {
        CHECK(now_ms() < deadline_ms);
        sched_yield();
    }
}

static int get(bus *b) {
    juicebus_event event;
    int status = juicebus_subscriber_get(b->sub, DEADLINE_MS, &event);
    if (status != JUICEBUS_OK)
        return status;
    CHECK(event.frame_count == FRAMES && event.frames[FRAMES - 1].size == LARGE);
    return juicebus_event_free(&event);
}

static int get_many(bus *b) {
    juicebus_batch batch;
    int status = juicebus_subscriber_get_many(b->sub, 2, DEADLINE_MS, &batch);
    return status != JUICEBUS_OK ? status : juicebus_batch_free(&batch);
}

// The proxy of this process has new keys to tell.
static void proxy_has_keys(bus *b) {
    int fd;
    CHECK_STATUS(JUICEBUS_OK, send_frames(b));
    CHECK_STATUS(JUICEBUS_OK, juicebus_proxy_fd(b->proxy, &fd));
    CHECK(is_readable(fd, DEADLINE_MS));
    close(fd);
}

static int proxy_keys(bus *b) {
    juicebus_key_batch keys;
    int status = juicebus_proxy_keys(b->proxy, &keys);
    return status != JUICEBUS_OK ? status : juicebus_key_batch_free(&keys);
}

// Publisher, proxy and subscriber share what memory there is, in any order.
static int publish_forward_and_get(bus *b) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    juicebus_event event;
    int status = send_frames(b);
    if (status != JUICEBUS_OK)
        return status;
    do
        status = juicebus_subscriber_get(b->sub, 50, &event);
    while (status == JUICEBUS_TIMEOUT && juicebus_fault_failed_allocations() == 0 &&
           now_ms() < deadline_ms);
    if (status == JUICEBUS_TIMEOUT && juicebus_fault_failed_allocations() > 0)
        return JUICEBUS_E_SYSTEM; // the proxy's, not this call's
    return status != JUICEBUS_OK ? status : juicebus_event_free(&event);
}

static void prepare_frames(void) {
    static char large[LARGE];
    frames[0].data = "A.";
    frames[0].size = 2;
    for (int i = 1; i <= FRAMES; i++) {
        frames[i].data = large;
        frames[i].size = i == FRAMES ? LARGE : 10;
    }
}

// All that went before has been taken: from here on each event counts.
static void begin_counting(bus *b) {
    subscribe(b->sub, "A", NULL);
    settle(b->pub, b->sub);
    published = stats_of(b->sub).events;
}

static void with_a_proxy_elsewhere(bus *b) {
    begin_counting(b);
    for_every_n("open a publisher", b, nothing, open_publisher, nothing);
    for_every_n("open a subscriber", b, nothing, open_subscriber, nothing);
    for_every_n("fail in a new thread", b, nothing, fail, nothing);
    for_every_n("send 300 frames", b, nothing, send_frames, none_is_missing);
    for_every_n("get", b, three_wait, get, none_is_missing);
    for_every_n("get some from the ring", b, three_are_in_the_ring, get_many, none_is_missing);
}

static void with_a_proxy_here(bus *b) {
    begin_counting(b);
    for_every_n("open a proxy", b, nothing, open_proxy, nothing);
    for_every_n("keys of the proxy", b, proxy_has_keys, proxy_keys, none_is_missing);
    for_every_n("publish, forward, get", b, nothing, publish_forward_and_get, none_is_missing);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return be_a_proxy();
    // What stays: the thread's error text, and room for the first handles.
    juicebus_subscriber_t first;
    CHECK_STATUS(JUICEBUS_E_INVALID, juicebus_payload_check(NULL, 1));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open("tcp://127.0.0.1:1", NULL, &first));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(first));
    int64_t at_start = juicebus_fault_live_allocations();
    other_process proxy = start_proxy(argv[0]);
    bus here = bus_open(), elsewhere;

    prepare_frames();
    memset(&elsewhere, 0, sizeof elsewhere);
    memcpy(elsewhere.pub_uri, proxy.pub_uri, sizeof elsewhere.pub_uri);
    memcpy(elsewhere.sub_uri, proxy.sub_uri, sizeof elsewhere.sub_uri);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(proxy.pub_uri, NULL, &elsewhere.pub));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(proxy.sub_uri, NULL, &elsewhere.sub));
    with_a_proxy_elsewhere(&elsewhere);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_close(elsewhere.pub, DEADLINE_MS));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(elsewhere.sub));
    stop_proxy(proxy);
    with_a_proxy_here(&here);
    bus_close(here);
    CHECK(errors > 0);
    check_nothing_is_left(at_start);
    printf("fault {\"row\": 17, \"figure\": \"9 calls with %d limits: %d clean errors, "
           "nothing left, no event missing\"}\n",
           limits, errors);
    return 0;
}
