// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// A connected publisher sends the usual event past Go, which judges all others. Whatever
// the payload, the name and the topic are, publish says what Go says: payload_check of the
// first, and a publisher that is not connected of the others. The shared vectors are
// changed at random, some 200,000 times, always the same ones.
#include "bus.h"
#include "vector.h"

#include "keys_vectors.h"
#include "payloads_vectors.h"

enum { ROUNDS = 1500, LONGEST = 1000 };

static uint32_t state = 1;

// xorshift: Marsaglia, Journal of Statistical Software 8(14), 2003.
static uint32_t below(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static void change(char *data, size_t *size, size_t room) {
    static const char likely[] =
        "{}[]\",:\\u0019.-+eE tfn \xa1\xc0\xc1\xfb\x78\x61\x81\xd9\xff\xc3\xa4";
    for (uint32_t changes = 1 + below(3); changes > 0; changes--) {
        const size_t at = below((uint32_t)*size + 1);
        const char byte = below(2) ? (char)below(256) : likely[below(sizeof likely)];
        switch (below(3)) {
        case 0:
            if (at < *size)
                data[at] = byte;
            break;
        case 1:
            if (at < *size)
                memmove(data + at, data + at + 1, --*size - at);
            break;
        default:
            if (*size == room)
                break;
            memmove(data + at + 1, data + at, (*size)++ - at);
            data[at] = byte;
        }
    }
}

static void payloads_are_judged_alike(juicebus_publisher_t pub, const struct payload_vector *v) {
    text seed = text_of(v->payload);
    char data[LONGEST + 8];
    size_t size = 0;
    for (int i = 0; seed.size < LONGEST && i < ROUNDS; i++) {
        if (i % 20 == 0) {
            size = seed.size;
            memcpy(data, seed.data, size);
        }
        change(data, &size, sizeof data);
        CHECK_STATUS(juicebus_payload_check(data, size),
                     juicebus_publisher_publish(pub, "A", NULL, data, size, DEADLINE_MS));
    }
    free(seed.data);
}

// Behind a NUL nothing is read, so the texts are as long as C sees them.
static void names_are_judged_alike(juicebus_publisher_t pub, juicebus_publisher_t queues,
                                   const struct key_vector *v) {
    text key = text_of(v->key ? v->key : "41");
    char data[LONGEST + 400], copy[LONGEST + 400];
    for (int i = 0; key.size < LONGEST && i < ROUNDS; i++) {
        size_t size = key.size;
        memcpy(data, key.data, size);
        change(data, &size, sizeof data - 1);
        data[size] = 0;
        const char *topic = below(2) ? NULL : data + below((uint32_t)strlen(data) + 1);
        snprintf(copy, sizeof copy, "%s%s", below(2) ? "A" : "", data);
        CHECK_STATUS(
            juicebus_publisher_publish(queues, copy, topic, EMPTY_MAP, EMPTY_MAP_SIZE, 0),
            juicebus_publisher_publish(pub, copy, topic, EMPTY_MAP, EMPTY_MAP_SIZE, DEADLINE_MS));
    }
    free(key.data);
}

int main(void) {
    bus b = bus_open();
    juicebus_publisher_options options;
    juicebus_publisher_t queues;

    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_options_init(&options, sizeof options));
    options.overflow = JUICEBUS_OVERFLOW_DROP_OLDEST;
    CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_open(own_ipc_uri("nobody"), &options, &queues));
    settle(b.pub, b.sub);
    for (size_t i = 0; i < sizeof payload_vectors / sizeof *payload_vectors; i++)
        payloads_are_judged_alike(b.pub, &payload_vectors[i]);
    for (size_t i = 0; i < sizeof key_vectors / sizeof *key_vectors; i++)
        names_are_judged_alike(b.pub, queues, &key_vectors[i]);
    close_at_once(queues);
    bus_close(b);
    return 0;
}
