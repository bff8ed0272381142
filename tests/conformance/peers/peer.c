// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// The C peer of the conformance matrix. `peer pub URI` reads lines of
// `name<TAB>topic<TAB>payload in hex` from stdin and publishes them; `peer sub URI
// name[:topic] ...` prints events as such lines. Both end when stdin does. `ready` and
// `flushed` lines tell whether the proxy confirmed subscriptions, and that events arrived.
#define _DEFAULT_SOURCE // getline, strsep
#include <juicebus.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000 };

static int say_why(void) {
    fprintf(stderr, "peer: %s\n", juicebus_last_error());
    return 1;
}

// Tells what came of asking the proxy; returns whether it answered.
static int say_answer(const char *what, int status) {
    if (status == JUICEBUS_OK)
        printf("%s confirmed\n", what);
    else if (status == JUICEBUS_UNCONFIRMED)
        printf("%s unconfirmed\n", what);
    else
        fprintf(stderr, "peer: %s: %s\n", what, juicebus_status_text(status));
    return status == JUICEBUS_OK || status == JUICEBUS_UNCONFIRMED;
}

// Turns lower-case hex into bytes in place; returns how many.
static size_t bytes_of(char *hex) {
    static const char digits[] = "0123456789abcdef";
    size_t size = 0;
    for (const char *at = hex; at[0] != '\0' && at[1] != '\0'; at += 2)
        hex[size++] =
            (char)((strchr(digits, at[0]) - digits) << 4 | (strchr(digits, at[1]) - digits));
    return size;
}

static int publish_lines(const char *uri) {
    juicebus_publisher_t pub;
    char *line = NULL;
    size_t capacity = 0;
    long sent = 0;

    if (juicebus_publisher_open(uri, NULL, &pub) != JUICEBUS_OK)
        return say_why();
    puts("ready");
    while (getline(&line, &capacity, stdin) >= 0) {
        char *rest = line;
        char *name = strsep(&rest, "\t");
        char *topic = strsep(&rest, "\t");
        char *hex = strsep(&rest, "\n");
        if (hex == NULL || hex[strspn(hex, "0123456789abcdef")] != '\0') {
            fprintf(stderr, "peer: a line is not name, topic and hex: %s\n", line);
            return 1;
        }
        size_t size = bytes_of(hex);
        if (juicebus_publisher_publish(pub, name, topic, hex, size, 5000) != JUICEBUS_OK)
            return say_why();
        printf("sent %ld\n", ++sent);
    }
    free(line);
    if (!say_answer("flushed", juicebus_publisher_flush(pub, TIMEOUT_MS)))
        return 1;
    return juicebus_publisher_close(pub, 5000) == JUICEBUS_OK ? 0 : 1;
}

static void print_event(const juicebus_event *event) {
    const unsigned char *payload = (const unsigned char *)event->payload;
    printf("%s\t%s\t", event->name, event->topic);
    for (size_t at = 0; at < event->payload_size; at++)
        printf("%02x", payload[at]);
    putchar('\n');
}

static int print_waiting_events(juicebus_subscriber_t sub) {
    juicebus_event event;
    int status;
    while ((status = juicebus_subscriber_get(sub, 0, &event)) == JUICEBUS_OK) {
        print_event(&event);
        juicebus_event_free(&event);
    }
    return status;
}

static int print_events(const char *uri, int count, char **filters) {
    juicebus_subscriber_t sub;
    struct pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {-1, POLLIN, 0}};
    char ignored[256];

    if (juicebus_subscriber_open(uri, NULL, &sub) != JUICEBUS_OK)
        return say_why();
    for (int i = 0; i < count; i++) {
        char *topic = filters[i];
        char *name = strsep(&topic, ":");
        if (juicebus_subscriber_subscribe(sub, name, topic) != JUICEBUS_OK)
            return say_why();
    }
    if (juicebus_subscriber_fd(sub, &fds[1].fd) != JUICEBUS_OK)
        return say_why();
    if (!say_answer("ready", juicebus_subscriber_ready(sub, TIMEOUT_MS)))
        return 1;
    while (poll(fds, 2, -1) > 0) {
        if (print_waiting_events(sub) != JUICEBUS_TIMEOUT)
            return say_why();
        if (fds[0].revents != 0 && read(STDIN_FILENO, ignored, sizeof ignored) <= 0)
            break;
    }
    close(fds[1].fd);
    return juicebus_subscriber_close(sub) == JUICEBUS_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "pub") == 0)
        return publish_lines(argv[2]);
    if (argc > 3 && strcmp(argv[1], "sub") == 0)
        return print_events(argv[2], argc - 3, argv + 3);
    fprintf(stderr, "usage: peer pub URI | peer sub URI name[:topic] ...\n");
    return 1;
}
