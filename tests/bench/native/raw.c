/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A publisher, or the one subscriber, of a cell with libzmq alone, as anybody would
 * write them: two calls an event. Prints one line of JSON.
 *
 *     raw pub CELL URI INDEX | raw sub CELL URI
 */
#include "cell.h"
#include "event.h"

#include <zmq.h>

enum { events_per_look = 64, close_ms = 1000 };

static void *open_socket(void *context, int type, const char *uri) {
    const int unbounded = 0, linger_ms = close_ms, receive_ms = idle_ms;
    void *socket = zmq_socket(context, type);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &unbounded, sizeof unbounded);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &unbounded, sizeof unbounded);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &receive_ms, sizeof receive_ms);
    if (type == ZMQ_SUB)
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "Tick.", 5);
    if (zmq_connect(socket, uri) != 0)
        die("%s: %s", uri, zmq_strerror(zmq_errno()));
    return socket;
}

static void send_event(void *socket, const char *key, size_t key_size, unsigned char *payload,
                       uint64_t number) {
    set_number(payload, number);
    if (zmq_send(socket, key, key_size, ZMQ_SNDMORE) < 0 ||
        zmq_send(socket, payload, payload_bytes, 0) < 0)
        die("send: %s", zmq_strerror(zmq_errno()));
}

static void publish(struct cell *cell, void *socket, uint64_t index) {
    char (*keys)[16] = malloc(cell->keys * sizeof *keys), topic[topic_bytes];
    unsigned char payload[payload_bytes];
    memcpy(payload, event_template, sizeof payload);
    if (!keys)
        die("no memory");
    size_t key_size = 0;
    for (uint64_t i = 0; i < cell->keys; i++) {
        write_topic(topic, i);
        key_size = (size_t)snprintf(keys[i], sizeof keys[i], "Tick.%s.", topic);
    }
    for (; !atomic_load(&cell->go); nap(probe_nap_ns))
        send_event(socket, keys[0], key_size, payload, probe_number(index));
    struct publishing p = publishing_begin(cell);
    for (uint64_t i = 0, key = 0; i < cell->events; i++) {
        if (i % events_per_look == 0)
            cell_make_room(cell,
                           cell->events - i < events_per_look ? cell->events - i : events_per_look);
        send_event(socket, keys[key], key_size, payload, i);
        if (++key == cell->keys)
            key = 0;
    }
    publishing_end(&p);
    free(keys);
}

static void subscribe(struct cell *cell, void *socket) {
    struct receiving r = receiving_begin(cell);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (receiving_more(&r)) {
        if (zmq_msg_recv(&frame, socket, 0) < 0 || !zmq_msg_more(&frame) ||
            zmq_msg_recv(&frame, socket, 0) < 0)
            receiving_failed(&r);
        receiving_note(&r, 0, get_number(zmq_msg_data(&frame), zmq_msg_size(&frame)));
    }
    zmq_msg_close(&frame);
    receiving_end(&r);
}

int main(int argc, char **argv) {
    int is_publisher = argc == 5 && strcmp(argv[1], "pub") == 0;
    if (!is_publisher && !(argc == 4 && strcmp(argv[1], "sub") == 0))
        die("usage: raw pub CELL URI INDEX | raw sub CELL URI");
    struct cell *cell = cell_open(argv[2]);
    void *context = zmq_ctx_new();
    void *socket = open_socket(context, is_publisher ? ZMQ_PUB : ZMQ_SUB, argv[3]);
    if (is_publisher)
        publish(cell, socket, strtoull(argv[4], NULL, 10));
    else if (cell->subscribers == 1 && cell->filters == 0)
        subscribe(cell, socket);
    else
        die("raw sub: is one subscriber with one filter");
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
