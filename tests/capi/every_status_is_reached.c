// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Every status of tests/vectors/status.json is reached by a call: none is a promise
// that nothing keeps. The panic comes last; it needs a library with faults.h.
#include "../../capi/faults.h"
#include "bus.h"
#include "vector.h"

#include "status_vectors.h"

#include <sys/wait.h>

enum { STATUSES = sizeof status_vectors / sizeof status_vectors[0] };

static int reached[STATUSES];

static void reach(int expected, int status) {
    CHECK_STATUS(expected, status);
    for (int i = 0; i < STATUSES; i++)
        if (status_vectors[i].number == status)
            reached[i] = 1;
}

static void reach_in_child_of_fork(void) {
    int ended;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(juicebus_payload_check(EMPTY_MAP, 1) == JUICEBUS_E_FORKED ? 0 : 1);
    CHECK(waitpid(child, &ended, 0) == child);
    reach(JUICEBUS_E_FORKED, ended == 0 ? JUICEBUS_E_FORKED : JUICEBUS_OK);
}

static void reach_with_a_bus(bus b) {
    static const char large[] = "{\"text\": \"more than eight bytes\"}";
    juicebus_publisher_options options;
    juicebus_publisher_t small, bound, lonely;
    juicebus_proxy_t second;
    juicebus_event event;

    reach(JUICEBUS_TIMEOUT, juicebus_subscriber_get(b.sub, 0, &event));
    reach(JUICEBUS_E_INVALID, juicebus_subscriber_subscribe(b.sub, "", NULL));
    reach(JUICEBUS_OK, juicebus_subscriber_subscribe(b.sub, "A.B", NULL));
    reach(JUICEBUS_E_AMBIGUOUS, juicebus_subscriber_subscribe(b.sub, "A", NULL));
    reach(JUICEBUS_E_HANDLE, juicebus_subscriber_subscribe(b.pub, "A", NULL));
    reach(JUICEBUS_E_SYSTEM, juicebus_proxy_open(b.pub_uri, b.sub_uri, NULL, &second));

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.max_event_bytes = 8;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(b.pub_uri, &options, &small));
    reach(JUICEBUS_E_TOO_LARGE,
          juicebus_publisher_publish(small, "A", NULL, large, sizeof large - 1, 0));
    close_at_once(small);

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.bind = 1;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(own_ipc_uri("statuses"), &options, &bound));
    reach(JUICEBUS_UNCONFIRMED, juicebus_publisher_flush(bound, 0));
    close_at_once(bound);

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(own_ipc_uri("nobody"), NULL, &lonely));
    reach(JUICEBUS_E_NOT_CONNECTED, juicebus_publisher_wait_connected(lonely, 0));
    close_at_once(lonely);
    reach(JUICEBUS_CLOSED, juicebus_publisher_wait_connected(lonely, 0));
}

static void reach_panic(void) {
    uint64_t broken;
    CHECK_STATUS(JUICEBUS_OK, juicebus_fault_broken_handle(JUICEBUS_FAULT_SUBSCRIBER, &broken));
    reach(JUICEBUS_E_PANIC, juicebus_subscriber_subscribe(broken, "A", NULL));
}

int main(void) {
    juicebus_subscriber_t sub;
    bus b = bus_open();

    reach_with_a_bus(b);
    reach(JUICEBUS_E_URI, juicebus_subscriber_open("nowhere", NULL, &sub));
    reach(JUICEBUS_E_PAYLOAD, juicebus_payload_check("\xff", 1));
    reach_in_child_of_fork();
    bus_close(b);
    reach_panic();
    for (int i = 0; i < STATUSES; i++) {
        int is_status = strcmp(status_vectors[i].text, "unknown status") != 0;
        if (reached[i] == is_status)
            continue;
        fprintf(stderr, "%s: never reached\n", status_vectors[i].text);
        check_stop();
    }
    return 0;
}
