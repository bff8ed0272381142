// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// What a test says: CHECK. The first claim that does not hold ends the test with
// exit code 1, from any thread, and prints where it stands and what came instead.
#ifndef CHECK_H
#define CHECK_H

#include <juicebus.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CHECK(claim) check_that((claim) ? 1 : 0, #claim, __FILE__, __LINE__)
#define CHECK_STATUS(expected, call) check_status(expected, call, #call, __FILE__, __LINE__)
#define CHECK_TEXT(expected, actual) check_text(expected, actual, #actual, __FILE__, __LINE__)

// The last error's text holds this word, in any case.
#define CHECK_ERROR_NAMES(word) check_error_names(word, __FILE__, __LINE__)

static inline void check_stop(void) {
    fflush(stderr);
    _Exit(1);
}

static inline void check_that(int holds, const char *claim, const char *file, int line) {
    if (holds)
        return;
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, claim);
    check_stop();
}

static inline void check_status(int expected, int status, const char *call, const char *file,
                                int line) {
    if (status == expected)
        return;
    fprintf(stderr, "%s:%d: %s\n  gave %d (%s), expected %d (%s)\n  last error: %s\n", file, line,
            call, status, juicebus_status_text(status), expected, juicebus_status_text(expected),
            juicebus_last_error());
    check_stop();
}

static inline void check_text(const char *expected, const char *text, const char *what,
                              const char *file, int line) {
    if (strcmp(expected, text) == 0)
        return;
    fprintf(stderr, "%s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what, text, expected);
    check_stop();
}

static inline void check_error_names(const char *word, const char *file, int line) {
    if (strcasestr(juicebus_last_error(), word) != NULL)
        return;
    fprintf(stderr, "%s:%d: the last error does not name \"%s\": %s\n", file, line, word,
            juicebus_last_error());
    check_stop();
}

static inline int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
