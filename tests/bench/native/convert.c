/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * Measures the part that the library has in the codec of a language that uses MessagePack.
 * Prints the nanoseconds of CPU time of both conversions, the checks included.
 *
 *     convert PAYLOAD, in MessagePack, as hex
 */
#include "../../../core/internal/socket/msgpack.h"
#include "../../../core/internal/socket/plain.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { payload_max = 4096, calls = 20000, runs = 25 };

static unsigned char msgpack[payload_max], cbor[payload_max], out[payload_max];
static size_t msgpack_size, cbor_size;

static size_t to_cbor(void) {
    size_t size = jb_cbor_of_msgpack(msgpack, msgpack_size, out, sizeof out);
    return jb_is_plain_cbor(out, size) ? size : 0;
}

static size_t to_msgpack(void) {
    if (!jb_is_plain_cbor(cbor, cbor_size))
        return 0;
    return jb_msgpack_of_cbor(cbor, cbor_size, out, sizeof out);
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of some runs. */
static double cost_ns(size_t (*convert)(void), size_t expected) {
    double costs[runs];
    for (int i = 0; i < runs; i++) {
        const double before = now_ns();
        for (int j = 0; j < calls; j++)
            if (convert() != expected)
                exit(1);
        costs[i] = (now_ns() - before) / calls;
    }
    qsort(costs, runs, sizeof *costs, compare);
    return costs[runs / 2];
}

int main(int argc, char **argv) {
    unsigned byte;
    for (const char *hex = argc == 2 ? argv[1] : ""; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        if (msgpack_size < payload_max)
            msgpack[msgpack_size++] = (unsigned char)byte;
    cbor_size = to_cbor();
    memcpy(cbor, out, cbor_size);
    if (cbor_size == 0)
        return 1;
    printf("{\"to_cbor_ns\": %.1f, \"to_msgpack_ns\": %.1f}\n", cost_ns(to_cbor, cbor_size),
           cost_ns(to_msgpack, msgpack_size));
    return 0;
}
