// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// The shared vectors as C sees them: vectors.py turns tests/vectors/*.json into tables
// of these structs, with every text in the hex notation that text_of reads.
#ifndef VECTOR_H
#define VECTOR_H

#include "check.h"

// Names and topics as hex; NULL where the JSON has null.
struct key_vector {
    const char *id, *name, *topic, *key;
    int status;
};

// One step of a vector of filters.json; equal ids are one vector.
struct filter_step {
    const char *id;
    int is_subscription;
    const char *name, *topic;
    int status;
    const char *received_name, *received_topic; // NULL: nothing is received
};

struct payload_vector {
    const char *id, *payload;
    int status;
    const char *reason;
    int format;
};

struct status_vector {
    const char *id;
    int constant, number;
    const char *text;
};

// Bytes with a NUL behind them.
typedef struct text {
    char *data; // NULL for a NULL hex
    size_t size;
} text;

static inline int digit_of(char hex) {
    return hex <= '9' ? hex - '0' : hex - 'a' + 10;
}

static inline void append_piece(text *bytes, const char *hex, size_t digits, size_t times) {
    size_t size = digits / 2;
    bytes->data = (char *)realloc(bytes->data, bytes->size + times * size + 1);
    CHECK(bytes->data != NULL);
    for (size_t i = 0; i < times * size; i++) {
        const char *pair = hex + 2 * (i % size);
        bytes->data[bytes->size++] = (char)(digit_of(pair[0]) << 4 | digit_of(pair[1]));
    }
    bytes->data[bytes->size] = '\0';
}

// Reads pieces of hex separated by spaces, each perhaps with `*times` behind it. The
// memory is the caller's to free.
static inline text text_of(const char *hex) {
    text bytes = {NULL, 0};
    if (hex == NULL)
        return bytes;
    append_piece(&bytes, "", 0, 0);
    while (*hex != '\0') {
        char *end = (char *)hex;
        size_t digits = strspn(hex, "0123456789abcdef"), times = 1;
        CHECK(digits % 2 == 0);
        end += digits;
        if (*end == '*')
            times = strtoul(end + 1, &end, 10);
        CHECK(*end == ' ' || *end == '\0');
        append_piece(&bytes, hex, digits, times);
        hex = *end == ' ' ? end + 1 : end;
    }
    return bytes;
}

#endif
