/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A subscriber in C that does as little as can be done: what latency.py measures, for
 * the events of ticking.py in CBOR, of which it reads nothing but when they were sent.
 *
 *     ticked zmq|socket URI
 *
 * With zmq it receives by libzmq; with socket it speaks ZMTP 3.0 on a TCP socket itself,
 * so that no other thread stands between the kernel and who waits. Prints JSON.
 */
#include "cell.h"

#include <netdb.h>
#include <sys/socket.h>
#include <zmq.h>

enum { events = 1000, warm_up_events = 200, greeting_bytes = 64 };
enum { more = 1, long_frame = 2, command = 4 }; /* flags of a frame */

static const char filter[] = "Reading.", stamp[] = "sent_ns\x1b";

/* Where events come from: one of both. */
static void *zmq_source;
static int socket_source;

static unsigned char buffer[1 << 16];
static size_t buffer_read, buffer_end;

static double us_now(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void send_all(const void *bytes, size_t size) {
    if (send(socket_source, bytes, size, 0) != (ssize_t)size)
        die("ticked: cannot send");
}

/* The next bytes from the socket, in one piece. */
static const unsigned char *read_bytes(size_t size) {
    if (buffer_end - buffer_read < size) {
        memmove(buffer, buffer + buffer_read, buffer_end - buffer_read);
        buffer_end -= buffer_read;
        buffer_read = 0;
    }
    while (buffer_end - buffer_read < size) {
        ssize_t got = recv(socket_source, buffer + buffer_end, sizeof buffer - buffer_end, 0);
        if (got <= 0)
            die("ticked: the connection has ended");
        buffer_end += (size_t)got;
    }
    buffer_read += size;
    return buffer + buffer_read - size;
}

/* The last frame of the next message of two; returns its size. What else comes, commands
 * and the proxy's welcome, is one. */
static size_t read_payload(const unsigned char **body) {
    for (unsigned before = 0, flags;; before = flags) {
        size_t size = 0;
        flags = *read_bytes(1);
        for (int left = flags & long_frame ? 8 : 1; left > 0; left--)
            size = size << 8 | *read_bytes(1);
        *body = read_bytes(size);
        if (before & more && !(flags & (more | command)))
            return size;
    }
}

static void open_socket(const char *uri) {
    static const char greeting[greeting_bytes] = "\xff\0\0\0\0\0\0\0\0\x7f\3\0NULL";
    static const char ready[] = "\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB";
    char host[64], port[8];
    struct addrinfo *found, asked = {.ai_socktype = SOCK_STREAM};
    if (sscanf(uri, "tcp://%63[^:]:%7s", host, port) != 2 ||
        getaddrinfo(host, port, &asked, &found) != 0)
        die("ticked: %s: no such address", uri);
    socket_source = socket(found->ai_family, found->ai_socktype, 0);
    if (connect(socket_source, found->ai_addr, found->ai_addrlen) != 0)
        die("ticked: %s: cannot connect", uri);
    freeaddrinfo(found);
    send_all(greeting, sizeof greeting);
    read_bytes(greeting_bytes);
    send_all(ready, sizeof ready - 1);
    /* A subscription is a message: 1, and the filter. */
    const unsigned char head[] = {0, sizeof filter, 1};
    send_all(head, sizeof head);
    send_all(filter, sizeof filter - 1);
}

static void open_zmq(const char *uri) {
    zmq_source = zmq_socket(zmq_ctx_new(), ZMQ_SUB);
    zmq_setsockopt(zmq_source, ZMQ_SUBSCRIBE, filter, sizeof filter - 1);
    if (zmq_connect(zmq_source, uri) != 0)
        die("ticked: %s: %s", uri, zmq_strerror(zmq_errno()));
}

/* When the event was sent that a payload holds, in microseconds. */
static double sent_us(const unsigned char *payload, size_t size) {
    const size_t stamp_size = sizeof stamp - 1;
    for (size_t at = 0; at + stamp_size + 8 <= size; at++) {
        if (memcmp(payload + at, stamp, stamp_size) != 0)
            continue;
        uint64_t ns = 0;
        for (int i = 0; i < 8; i++)
            ns = ns << 8 | payload[at + stamp_size + (size_t)i];
        return (double)ns / 1e3;
    }
    die("ticked: an event does not say when it was sent");
}

/* Waits for an event; returns how long it was under way. */
static double delay_us(void) {
    const unsigned char *body;
    if (!zmq_source) {
        size_t size = read_payload(&body);
        return us_now(CLOCK_MONOTONIC) - sent_us(body, size);
    }
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, zmq_source, 0) < 0 || zmq_msg_recv(&frame, zmq_source, 0) < 0)
        die("ticked: %s", zmq_strerror(zmq_errno()));
    double delay = us_now(CLOCK_MONOTONIC) - sent_us(zmq_msg_data(&frame), zmq_msg_size(&frame));
    zmq_msg_close(&frame);
    return delay;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 3 || (strcmp(argv[1], "zmq") != 0 && strcmp(argv[1], "socket") != 0))
        die("usage: ticked zmq|socket URI");
    if (strcmp(argv[1], "zmq") == 0)
        open_zmq(argv[2]);
    else
        open_socket(argv[2]);
    static double delays[events];
    for (int i = 0; i < warm_up_events; i++)
        delay_us();
    double before = us_now(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < events; i++)
        delays[i] = delay_us();
    double cpu = (us_now(CLOCK_PROCESS_CPUTIME_ID) - before) / events;
    qsort(delays, events, sizeof *delays, compare);
    printf("{\"p50\": %f, \"p99\": %f, \"cpu\": %f}\n", delays[events / 2],
           delays[events * 99 / 100], cpu);
    return 0;
}
