// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// One call in a thread of its own, and the way to know that it waits: the kernel says
// that the thread sleeps. The thread announces its id just before the call.
#ifndef THREAD_H
#define THREAD_H

#include "bus.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

typedef int (*waiting_call)(uint64_t handle);

typedef struct waiter {
    waiting_call call;
    uint64_t handle;
    pthread_t thread;
    pid_t id; // 0 until the thread is about to call
    int status;
    int64_t done_ms;
} waiter;

static inline void *waiter_run(void *arg) {
    waiter *w = (waiter *)arg;
    __atomic_store_n(&w->id, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    w->status = w->call(w->handle);
    w->done_ms = now_ms();
    return NULL;
}

static inline char thread_state(pid_t id) {
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)id);
    FILE *stat = fopen(path, "r");
    CHECK(stat != NULL);
    CHECK(fgets(line, sizeof line, stat) != NULL);
    fclose(stat);
    return strrchr(line, ')')[2];
}

// Starts the call and returns once the thread sleeps in it: seen twenty times in a
// row, since a call may also sleep for a moment on its way.
static inline void waiter_start(waiter *w, waiting_call call, uint64_t handle) {
    int64_t deadline_ms = now_ms() + DEADLINE_MS;
    int asleep = 0;

    memset(w, 0, sizeof *w);
    w->call = call;
    w->handle = handle;
    CHECK(pthread_create(&w->thread, NULL, waiter_run, w) == 0);
    while (asleep < 20) {
        pid_t id = __atomic_load_n(&w->id, __ATOMIC_SEQ_CST);
        CHECK(now_ms() < deadline_ms);
        asleep = id != 0 && thread_state(id) == 'S' ? asleep + 1 : 0;
        sched_yield();
    }
}

// Waits for the call to return; gives its status.
static inline int waiter_join(waiter *w) {
    CHECK(pthread_join(w->thread, NULL) == 0);
    return w->status;
}

#endif
