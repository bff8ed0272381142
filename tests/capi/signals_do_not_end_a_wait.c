// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// Signals every 2 ms, whose handler interrupts system calls, neither end a wait before
// its time nor keep an event from it.
#include "bus.h"

#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t signals;

static void count_signal(int number) {
    (void)number;
    signals = signals + 1;
}

static void interrupt_every_2_ms(void) {
    struct sigaction action;
    struct itimerval period;
    memset(&action, 0, sizeof action);
    action.sa_handler = count_signal;
    action.sa_flags = SA_ONSTACK; // and no SA_RESTART: poll returns EINTR
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    memset(&period, 0, sizeof period);
    period.it_interval.tv_usec = 2000;
    period.it_value.tv_usec = 2000;
    CHECK(setitimer(ITIMER_REAL, &period, NULL) == 0);
}

int main(void) {
    bus b = bus_open();
    juicebus_event event;
    juicebus_publisher_t lonely;
    int64_t started_ms;

    subscribe(b.sub, "Temp", NULL);
    settle(b.pub, b.sub);
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(own_ipc_uri("nobody"), NULL, &lonely));
    interrupt_every_2_ms();
    started_ms = now_ms();
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_subscriber_get(b.sub, 400, &event));
    CHECK(now_ms() - started_ms >= 399);
    started_ms = now_ms();
    CHECK_STATUS(JUICEBUS_E_NOT_CONNECTED, juicebus_publisher_wait_connected(lonely, 400));
    CHECK(now_ms() - started_ms >= 399);
    started_ms = now_ms();
    CHECK_STATUS(JUICEBUS_TIMEOUT, juicebus_publisher_flush(lonely, 400));
    CHECK(now_ms() - started_ms >= 399);
    CHECK(signals > 10);
    for (int i = 0; i < 1000; i++) {
        publish(b.pub, "Temp", NULL);
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(b.sub, -1, &event));
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
    close_at_once(lonely);
    bus_close(b);
    return 0;
}
