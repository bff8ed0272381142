// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A panic inside any export is E_PANIC, and from then on every call is, while the
// process lives: the program goes on and ends as it wants. So is a panic in the
// goroutine that serves every handle. A library refuses all calls for good after its
// first panic, so each export has it in a process of its own: this program again, with
// a number as its argument. Links to a library with faults.h.
#include "../../capi/faults.h"
#include "every_call.h"
#include "thread.h"

#include <sys/wait.h>

static juicebus_frame frames[2];

static int publish_it(uint64_t h) {
    return juicebus_publisher_publish(h, "A", NULL, EMPTY_MAP, 1, 10);
}

static int publish_many(uint64_t h) {
    juicebus_event event;
    memset(&event, 0, sizeof event);
    event.name = "A";
    event.payload = EMPTY_MAP;
    event.payload_size = 1;
    return juicebus_publisher_publish_many(h, &event, 1, 10, NULL);
}

static int send_frames(uint64_t h) {
    frames[0] = frame_of("A.", 2);
    frames[1] = frame_of(EMPTY_MAP, 1);
    return juicebus_publisher_send_frames(h, frames, 2, 10);
}

static int wait_connected(uint64_t h) {
    return juicebus_publisher_wait_connected(h, 10);
}

static int flush(uint64_t h) {
    return juicebus_publisher_flush(h, 10);
}

static int flush_first(uint64_t h) {
    return juicebus_publisher_flush_first(h, 1, 10);
}

static int publisher_fd(uint64_t h) {
    int fd;
    return juicebus_publisher_fd(h, &fd);
}

static int publisher_stats(uint64_t h) {
    struct juicebus_publisher_stats stats = {.struct_size = sizeof stats};
    return juicebus_publisher_stats(h, &stats);
}

static int publisher_close(uint64_t h) {
    return juicebus_publisher_close(h, 0);
}

static int publisher_close_counted(uint64_t h) {
    uint64_t left;
    return juicebus_publisher_close_counted(h, 0, &left);
}

static int subscribe_to(uint64_t h) {
    return juicebus_subscriber_subscribe(h, "A", NULL);
}

static int unsubscribe_from(uint64_t h) {
    return juicebus_subscriber_unsubscribe(h, "A", NULL);
}

static int ready(uint64_t h) {
    return juicebus_subscriber_ready(h, 10);
}

static int get(uint64_t h) {
    juicebus_event event;
    return juicebus_subscriber_get(h, -1, &event);
}

static int get_many(uint64_t h) {
    juicebus_batch batch;
    return juicebus_subscriber_get_many(h, 5, 10, &batch);
}

static int subscriber_fd(uint64_t h) {
    int fd;
    return juicebus_subscriber_fd(h, &fd);
}

static int subscriber_stats(uint64_t h) {
    struct juicebus_subscriber_stats stats = {.struct_size = sizeof stats};
    return juicebus_subscriber_stats(h, &stats);
}

static int next_notice(uint64_t h) {
    juicebus_notice notice;
    return juicebus_next_notice(h, &notice);
}

static int next_notice_fd(uint64_t h) {
    int fd;
    return juicebus_next_notice_fd(h, &fd);
}

static int proxy_uris(uint64_t h) {
    char pub_uri[512], sub_uri[512];
    return juicebus_proxy_uris(h, pub_uri, sizeof pub_uri, sub_uri, sizeof sub_uri);
}

static int proxy_keys(uint64_t h) {
    juicebus_key_batch keys;
    return juicebus_proxy_keys(h, &keys);
}

static int proxy_fd(uint64_t h) {
    int fd;
    return juicebus_proxy_fd(h, &fd);
}

static int proxy_stats(uint64_t h) {
    struct juicebus_proxy_stats stats = {.struct_size = sizeof stats};
    return juicebus_proxy_stats(h, &stats);
}

static const struct {
    const char *name;
    int kind;
    int (*call)(uint64_t handle);
} calls[] = {
    {"publisher_publish", JUICEBUS_FAULT_PUBLISHER, publish_it},
    {"publisher_publish_many", JUICEBUS_FAULT_PUBLISHER, publish_many},
    {"publisher_send_frames", JUICEBUS_FAULT_PUBLISHER, send_frames},
    {"publisher_wait_connected", JUICEBUS_FAULT_PUBLISHER, wait_connected},
    {"publisher_flush", JUICEBUS_FAULT_PUBLISHER, flush},
    {"publisher_flush_first", JUICEBUS_FAULT_PUBLISHER, flush_first},
    {"publisher_fd", JUICEBUS_FAULT_PUBLISHER, publisher_fd},
    {"publisher_stats", JUICEBUS_FAULT_PUBLISHER, publisher_stats},
    {"publisher_close", JUICEBUS_FAULT_PUBLISHER, publisher_close},
    {"publisher_close_counted", JUICEBUS_FAULT_PUBLISHER, publisher_close_counted},
    {"subscriber_subscribe", JUICEBUS_FAULT_SUBSCRIBER, subscribe_to},
    {"subscriber_unsubscribe", JUICEBUS_FAULT_SUBSCRIBER, unsubscribe_from},
    {"subscriber_ready", JUICEBUS_FAULT_SUBSCRIBER, ready},
    {"subscriber_get", JUICEBUS_FAULT_SUBSCRIBER, get},
    {"subscriber_get_many", JUICEBUS_FAULT_SUBSCRIBER, get_many},
    {"subscriber_fd", JUICEBUS_FAULT_SUBSCRIBER, subscriber_fd},
    {"subscriber_stats", JUICEBUS_FAULT_SUBSCRIBER, subscriber_stats},
    {"subscriber_close", JUICEBUS_FAULT_SUBSCRIBER, juicebus_subscriber_close},
    {"next_notice", JUICEBUS_FAULT_SUBSCRIBER, next_notice},
    {"next_notice_fd", JUICEBUS_FAULT_SUBSCRIBER, next_notice_fd},
    {"proxy_uris", JUICEBUS_FAULT_PROXY, proxy_uris},
    {"proxy_keys", JUICEBUS_FAULT_PROXY, proxy_keys},
    {"proxy_fd", JUICEBUS_FAULT_PROXY, proxy_fd},
    {"proxy_stats", JUICEBUS_FAULT_PROXY, proxy_stats},
    {"proxy_close", JUICEBUS_FAULT_PROXY, juicebus_proxy_close},
};

enum { CALL_COUNT = sizeof calls / sizeof calls[0] };

// Good handles, opened before the panic, are refused; so are new ones.
static void everything_panics(bus b) {
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;
    juicebus_proxy_t proxy;

    every_publisher_call_gives(JUICEBUS_E_PANIC, b.pub);
    every_subscriber_call_gives(JUICEBUS_E_PANIC, b.sub);
    every_proxy_call_gives(JUICEBUS_E_PANIC, b.proxy);
    every_notice_call_gives(JUICEBUS_E_PANIC, b.sub);
    CHECK_STATUS(JUICEBUS_E_PANIC, juicebus_publisher_close(b.pub, 0));
    CHECK_STATUS(JUICEBUS_E_PANIC, juicebus_subscriber_close(b.sub));
    CHECK_STATUS(JUICEBUS_E_PANIC, juicebus_proxy_close(b.proxy));
    CHECK_STATUS(JUICEBUS_E_PANIC, juicebus_publisher_open(b.pub_uri, NULL, &pub));
    CHECK_STATUS(JUICEBUS_E_PANIC, juicebus_subscriber_open(b.sub_uri, NULL, &sub));
    CHECK_STATUS(JUICEBUS_E_PANIC,
                 juicebus_proxy_open("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", NULL, &proxy));
    CHECK_STATUS(JUICEBUS_E_PANIC, juicebus_payload_check(EMPTY_MAP, 1));
    CHECK_STATUS(JUICEBUS_E_PANIC, juicebus_wait_closed(0, NULL));
    CHECK_ERROR_NAMES("panic");
}

static int in_export(size_t i) {
    bus b = bus_open();
    uint64_t broken;

    CHECK_STATUS(JUICEBUS_OK, juicebus_fault_broken_handle(calls[i].kind, &broken));
    CHECK_STATUS(JUICEBUS_E_PANIC, calls[i].call(broken));
    CHECK_ERROR_NAMES("nil pointer");
    everything_panics(b);
    return 0;
}

// A thread that waits for ever is told as well: nobody else could wake it.
static int in_housekeeping(void) {
    bus b = bus_open();
    waiter w;

    waiter_start(&w, get, b.sub);
    CHECK_STATUS(JUICEBUS_OK, juicebus_fault_housekeeping());
    CHECK_STATUS(JUICEBUS_E_PANIC, waiter_join(&w));
    everything_panics(b);
    CHECK_ERROR_NAMES("a defect on purpose");
    return 0;
}

static void ends_well(char *program, const char *name, size_t i) {
    char number[16];
    char *const arguments[] = {program, number, NULL};
    int ended;
    pid_t child;

    snprintf(number, sizeof number, "%zu", i);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(DEADLINE_MS / 1000);
        execv("/proc/self/exe", arguments);
        _exit(2);
    }
    CHECK(waitpid(child, &ended, 0) == child);
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
        return;
    fprintf(stderr, "a panic in %s: the process ended with %d\n", name, ended);
    check_stop();
}

int main(int argc, char **argv) {
    if (argc > 1) {
        size_t i = strtoul(argv[1], NULL, 10);
        return i < CALL_COUNT ? in_export(i) : in_housekeeping();
    }
    for (size_t i = 0; i < CALL_COUNT; i++)
        ends_well(argv[0], calls[i].name, i);
    ends_well(argv[0], "housekeeping", CALL_COUNT);
    printf("fault {\"row\": 14, \"figure\": \"in %d exports and in housekeeping\"}\n", CALL_COUNT);
    return 0;
}
