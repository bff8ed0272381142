// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// An instrument driver in C: every 50 ms it publishes a reading of its fridge, and
// in between it receives set points for it. One thread does both, on one poll().
//
//     driver PUBLISHER_URI SUBSCRIBER_URI [NAME ...]
//
// It prints `got <name> <topic>` for each event of the names (without any: SetPoint),
// and after each reading `sent <n>`, until its standard input ends.
#define _DEFAULT_SOURCE // clock_gettime
#include <juicebus.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int say_why(void) {
    fprintf(stderr, "driver: %s\n", juicebus_last_error());
    return 1;
}

// Writes {"kelvin": kelvin} in CBOR: a map of one pair, a text of six bytes, a
// double with its highest byte first. Returns its size.
static size_t encode_reading(double kelvin, unsigned char *payload) {
    static const unsigned char head[] = {0xa1, 0x66, 'k', 'e', 'l', 'v', 'i', 'n', 0xfb};
    uint64_t bits;
    memcpy(payload, head, sizeof head);
    memcpy(&bits, &kelvin, sizeof bits);
    for (int byte = 0; byte < 8; byte++)
        payload[sizeof head + byte] = (unsigned char)(bits >> (56 - 8 * byte));
    return sizeof head + 8;
}

static int publish_reading(juicebus_publisher_t pub, int number) {
    unsigned char payload[32];
    size_t size = encode_reading(4.2 + number % 10 * 0.01, payload);
    int status = juicebus_publisher_publish(pub, "FridgeReading", "c-driver", payload, size, 5000);
    if (status == JUICEBUS_OK)
        printf("sent %d\n", number);
    return status;
}

// Takes what is there without waiting: that is what the readable fd asks for.
static int receive(juicebus_subscriber_t sub) {
    juicebus_event event;
    int status;
    while ((status = juicebus_subscriber_get(sub, 0, &event)) == JUICEBUS_OK) {
        printf("got %s %s\n", event.name, event.topic);
        juicebus_event_free(&event);
    }
    return status == JUICEBUS_TIMEOUT ? JUICEBUS_OK : status;
}

static int run(juicebus_publisher_t pub, juicebus_subscriber_t sub) {
    struct pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {-1, POLLIN, 0}};
    int64_t next_ms = now_ms();
    int number = 0, status;

    if ((status = juicebus_subscriber_fd(sub, &fds[1].fd)) != JUICEBUS_OK)
        return status;
    while (status == JUICEBUS_OK && fds[0].revents == 0) {
        int64_t rest_ms = next_ms - now_ms();
        if (poll(fds, 2, rest_ms > 0 ? (int)rest_ms : 0) != 0)
            status = receive(sub);
        else if ((status = publish_reading(pub, ++number)) == JUICEBUS_OK)
            next_ms += 50;
    }
    close(fds[1].fd);
    return status;
}

int main(int argc, char **argv) {
    juicebus_publisher_t pub;
    juicebus_subscriber_t sub;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3) {
        fprintf(stderr, "usage: driver PUBLISHER_URI SUBSCRIBER_URI [NAME ...]\n");
        return 1;
    }
    if (juicebus_publisher_open(argv[1], NULL, &pub) ||
        juicebus_subscriber_open(argv[2], NULL, &sub))
        return say_why();
    for (int i = 3; i == 3 || i < argc; i++)
        if (juicebus_subscriber_subscribe(sub, i < argc ? argv[i] : "SetPoint", NULL))
            return say_why();
    if (run(pub, sub) != JUICEBUS_OK)
        return say_why();
    juicebus_subscriber_close(sub);
    return juicebus_publisher_close(pub, 1000) == JUICEBUS_OK ? 0 : 1;
}
