// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// In a child of fork() every call says E_FORKED at once, with the reason, and the child
// exits cleanly; the parent's handles go on working.
#include "every_call.h"

#include <sys/wait.h>

static void every_open_gives(int expected) {
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;
    juicebus_proxy_t proxy;
    CHECK_STATUS(expected, juicebus_publisher_open("tcp://127.0.0.1:5122", NULL, &pub));
    CHECK_STATUS(expected, juicebus_subscriber_open("tcp://127.0.0.1:5123", NULL, &sub));
    CHECK_STATUS(expected,
                 juicebus_proxy_open("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", NULL, &proxy));
    CHECK_STATUS(expected, juicebus_payload_check(EMPTY_MAP, EMPTY_MAP_SIZE));
    CHECK_STATUS(expected, juicebus_wait_closed(10, NULL));
}

static void child(bus b) {
    alarm(10); // a call that hangs ends the child by a signal
    every_publisher_call_gives(JUICEBUS_E_FORKED, b.pub);
    CHECK_ERROR_NAMES("fork");
    every_subscriber_call_gives(JUICEBUS_E_FORKED, b.sub);
    every_proxy_call_gives(JUICEBUS_E_FORKED, b.proxy);
    every_notice_call_gives(JUICEBUS_E_FORKED, b.sub);
    every_open_gives(JUICEBUS_E_FORKED);
    CHECK_STATUS(JUICEBUS_E_FORKED, juicebus_publisher_close(b.pub, 1000));
    CHECK_STATUS(JUICEBUS_E_FORKED, juicebus_subscriber_close(b.sub));
    CHECK_STATUS(JUICEBUS_E_FORKED, juicebus_proxy_close(b.proxy));
    CHECK_TEXT(JUICEBUS_VERSION, juicebus_version());
    exit(0);
}

int main(void) {
    bus b = bus_open();
    juicebus_event event;
    int status = 77;
    pid_t pid;

    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        child(b);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    publish(b.pub, "Temp", NULL);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, DEADLINE_MS, &event));
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    bus_close(b);
    return 0;
}
