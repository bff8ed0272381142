/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * What the trampolines share. Private to capi.
 */
#ifndef JUICEBUS_TRAMPOLINE_H
#define JUICEBUS_TRAMPOLINE_H

#include <stdarg.h>

#include "exports.h"

#define EXPORT __attribute__((visibility("default")))

/* Sets this thread's error text, printf-like, and returns the status. */
int jbc_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* E_FORKED in a child of fork(), else OK. Asked before Go is entered: there it
 * would hang, as Go's threads do not exist in a child. */
int jbc_alive(const char *function);

int jbc_null(const char *function, const char *argument);
int jbc_timeout_valid(const char *function, int64_t timeout_ms);

/* The first lines of a function: returns if the process was forked, or if the
 * argument is NULL. */
#define REQUIRE_ALIVE()                                                                            \
    do {                                                                                           \
        int alive_ = jbc_alive(__func__);                                                          \
        if (alive_ != JUICEBUS_OK)                                                                 \
            return alive_;                                                                         \
    } while (0)
#define REQUIRE(argument)                                                                          \
    do {                                                                                           \
        if (!(argument))                                                                           \
            return jbc_null(__func__, #argument);                                                  \
    } while (0)
#define REQUIRE_TIMEOUT(timeout_ms)                                                                \
    do {                                                                                           \
        int valid_ = jbc_timeout_valid(__func__, timeout_ms);                                      \
        if (valid_ != JUICEBUS_OK)                                                                 \
            return valid_;                                                                         \
    } while (0)

/* E_INVALID for a size that no memory has: Go would panic on it. */
int jbc_size_valid(const char *function, const char *argument, size_t size);
#define REQUIRE_SIZE(size)                                                                         \
    do {                                                                                           \
        int sized_ = jbc_size_valid(__func__, #size, size);                                        \
        if (sized_ != JUICEBUS_OK)                                                                 \
            return sized_;                                                                         \
    } while (0)

/* Repeats a try until it says something else than AGAIN or the time is up. In between it
 * waits on the ready fd of a handle, or a moment if that is 0. */
int jbc_wait(uint64_t handle, int (*attempt)(void *call, int will_wait), void *call,
             int64_t timeout_ms);

/* Copies a struct that begins with its struct_size from an older, or newer,
 * version of itself. What the source lacks keeps the target's value; what the
 * target lacks must be zero. */
int jbc_copy_options(const char *function, void *target, size_t target_size, const void *source);

/* Gives options of the caller's size their defaults. */
int jbc_init_options(const char *function, void *target, size_t target_size, const void *defaults,
                     size_t defaults_size);

/* Copies as much of a stats struct as the caller's struct_size asks for. */
int jbc_copy_stats(const char *function, void *target, const void *source, size_t source_size);

#endif
