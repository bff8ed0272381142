/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What every call goes through before it enters Go: the fork flag, the error
 * text, the wait, and the structs that grow from version to version.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* ppoll */
#endif
#include "trampoline.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../core/internal/socket/direct.h"
#include "../core/internal/socket/memory.h"
#include "ends.h"

static volatile int forked;

/* The thread's error text lives on the heap behind a key, not in thread-local
 * storage: Go's runtime makes the library's share of that static, and a host that
 * loads it late has only some hundred bytes left for everybody. */
enum { error_text_size = 2048 };
static pthread_key_t error_key;

static void note_fork(void) {
    forked = 1;
}

__attribute__((constructor)) static void prepare(void) {
    pthread_atfork(NULL, NULL, note_fork);
    pthread_key_create(&error_key, jb_free);
}

/* The thread's text to write to; NULL without memory. */
static char *error_text(void) {
    char *text = (char *)pthread_getspecific(error_key);
    if (!text) {
        text = (char *)jb_calloc(1, error_text_size);
        pthread_setspecific(error_key, text);
    }
    return text;
}

EXPORT const char *juicebus_last_error(void) {
    const char *text = (const char *)pthread_getspecific(error_key);
    return text ? text : "";
}

void gojb_set_error(cchar_t *text, size_t size) {
    char *target = error_text();
    if (!target)
        return;
    if (size >= error_text_size) {
        size = error_text_size - 1;
        /* A text that is cut is cut between two characters. */
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    memcpy(target, text, size);
    target[size] = 0;
}

int jbc_fail(int status, const char *format, ...) {
    char *target = error_text();
    if (target) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(target, error_text_size, format, arguments);
        va_end(arguments);
    }
    return status;
}

int jbc_alive(const char *function) {
    if (!forked)
        return JUICEBUS_OK;
    return jbc_fail(JUICEBUS_E_FORKED,
                    "juicebus: %s: called in a child of fork(), where the library's threads do not "
                    "exist; exec, or load the library after the fork",
                    function);
}

int jbc_null(const char *function, const char *argument) {
    return jbc_fail(JUICEBUS_E_INVALID, "juicebus: %s: %s is NULL", function, argument);
}

int jbc_timeout_valid(const char *function, int64_t timeout_ms) {
    if (timeout_ms >= -1)
        return JUICEBUS_OK;
    return jbc_fail(JUICEBUS_E_INVALID,
                    "juicebus: %s: timeout_ms is %lld, expected -1 (for ever), 0 or more", function,
                    (long long)timeout_ms);
}

/* All of a process's addresses; sums of sizes still fit. */
static const size_t longest = (size_t)1 << 47;

int jbc_size_valid(const char *function, const char *argument, size_t size) {
    if (size <= longest)
        return JUICEBUS_OK;
    return jbc_fail(JUICEBUS_E_INVALID, "juicebus: %s: %s is %zu, more than any memory has",
                    function, argument, size);
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The longest wait that the clock can count to: 146 years. */
static const int64_t longest_ms = INT64_MAX / 2000000;

/* How often a call looks again that has no fd to wait on, and one that has: after a
 * panic nobody may be left to wake it. */
static const int64_t moment_ns = 2000000, slice_ns = 1000000000;

int jbc_wait(uint64_t handle, int (*attempt)(void *call, int will_wait), void *call,
             int64_t timeout_ms) {
    int status = attempt(call, timeout_ms != 0);
    if (status != GOJB_AGAIN)
        return status;
    if (timeout_ms > longest_ms)
        timeout_ms = longest_ms;
    const int64_t end = timeout_ms < 0 ? INT64_MAX : now_ns() + timeout_ms * 1000000;
    do {
        /* Held, so that the fd stays its own. NULL: it has just been closed. */
        struct jb_end *held = jbc_hold_any(handle);
        struct pollfd fd = {held ? jb_end_ready_fd(held) : -1, POLLIN, 0};
        /* Go's own signals interrupt polls in any thread: the time left is
         * computed anew, and the try afterwards costs nothing. */
        int64_t left = end - now_ns();
        const int64_t at_most = held ? slice_ns : moment_ns;
        if (left > at_most)
            left = at_most;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        if (left > 0)
            (void)ppoll(&fd, 1, &wait, NULL);
        if (held)
            jb_end_release(held);
        status = attempt(call, now_ns() < end);
    } while (status == GOJB_AGAIN);
    return status;
}

/* A struct_size that was never set must not make us read on and on. */
enum { struct_size_max = 4096 };

static int known_size(const char *function, size_t size) {
    if (size >= 2 * sizeof(size_t) && size <= struct_size_max)
        return JUICEBUS_OK;
    return jbc_fail(JUICEBUS_E_INVALID,
                    "juicebus: %s: struct_size is %zu, expected the size of the struct", function,
                    size);
}

int jbc_copy_options(const char *function, void *target, size_t target_size, const void *source) {
    if (!source)
        return JUICEBUS_OK;
    size_t size;
    memcpy(&size, source, sizeof size);
    int status = known_size(function, size);
    for (size_t i = target_size; status == JUICEBUS_OK && i < size; i++)
        if (((const char *)source)[i] != 0)
            status = jbc_fail(JUICEBUS_E_INVALID,
                              "juicebus: %s: the options have a field that this version (%s) does "
                              "not know",
                              function, JUICEBUS_VERSION);
    if (status == JUICEBUS_OK)
        memcpy(target, source, size < target_size ? size : target_size);
    return status;
}

int jbc_init_options(const char *function, void *target, size_t target_size, const void *defaults,
                     size_t defaults_size) {
    int status = known_size(function, target_size);
    if (status == JUICEBUS_OK) {
        memset(target, 0, target_size);
        memcpy(target, defaults, target_size < defaults_size ? target_size : defaults_size);
        memcpy(target, &target_size, sizeof target_size);
    }
    return status;
}

int jbc_copy_stats(const char *function, void *target, const void *source, size_t source_size) {
    size_t size;
    memcpy(&size, target, sizeof size);
    int status = known_size(function, size);
    if (status == JUICEBUS_OK && size > sizeof size) {
        size_t end = size < source_size ? size : source_size;
        memcpy((char *)target + sizeof size, (const char *)source + sizeof size, end - sizeof size);
    }
    return status;
}
