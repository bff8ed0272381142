/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A publisher, or all subscribers, of a cell with libjuicebus and its batch calls; the
 * losses are counted, as they always are. Prints one line of JSON.
 *
 *     bus pub CELL URI INDEX | bus sub CELL URI
 */
#include "cell.h"
#include "event.h"

#include <juicebus.h>

#include <poll.h>

enum { timeout_ms = 60000 };

static void must(int status) {
    if (status != JUICEBUS_OK)
        die("bus: %s: %s", juicebus_status_text(status), juicebus_last_error());
}

static void *allocate(uint64_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory)
        die("bus: no memory");
    return memory;
}

static void publish_probes(struct cell *cell, juicebus_publisher_t pub, uint64_t index) {
    unsigned char payload[payload_bytes];
    char topic[topic_bytes];
    memcpy(payload, event_template, sizeof payload);
    set_number(payload, probe_number(index));
    write_topic(topic, 0);
    for (; !atomic_load(&cell->go); nap(probe_nap_ns))
        must(juicebus_publisher_publish(pub, "Tick", topic, payload, sizeof payload, timeout_ms));
}

static void publish(struct cell *cell, const char *uri, uint64_t index) {
    juicebus_publisher_t pub;
    char (*topics)[topic_bytes] = allocate(cell->keys, sizeof *topics);
    unsigned char (*payloads)[payload_bytes] = allocate(cell->batch, sizeof *payloads);
    juicebus_event *events = allocate(cell->batch, sizeof *events);
    for (uint64_t i = 0; i < cell->keys; i++)
        write_topic(topics[i], i);
    for (uint64_t i = 0; i < cell->batch; i++) {
        memcpy(payloads[i], event_template, sizeof payloads[i]);
        events[i].name = "Tick";
        events[i].payload = payloads[i];
        events[i].payload_size = sizeof payloads[i];
    }
    juicebus_publisher_options options;
    must(juicebus_publisher_options_init(&options, sizeof options));
    options.check_payload = !cell->unchecked;
    must(juicebus_publisher_open(uri, &options, &pub));
    publish_probes(cell, pub, index);
    struct publishing p = publishing_begin(cell);
    for (uint64_t number = 0, key = 0; number < cell->events;) {
        size_t count = 0, sent;
        for (; count < cell->batch && number < cell->events; count++) {
            set_number(payloads[count], number++);
            events[count].topic = topics[key];
            if (++key == cell->keys)
                key = 0;
        }
        cell_make_room(cell, count);
        must(juicebus_publisher_publish_many(pub, events, count, timeout_ms, &sent));
    }
    publishing_end(&p);
    must(juicebus_publisher_close(pub, timeout_ms));
    free(topics);
    free(payloads);
    free(events);
}

static juicebus_subscriber_t open_subscriber(const struct cell *cell, const char *uri) {
    juicebus_subscriber_t sub;
    char topic[topic_bytes];
    must(juicebus_subscriber_open(uri, NULL, &sub));
    if (cell->filters == 0)
        must(juicebus_subscriber_subscribe(sub, "Tick", NULL));
    for (uint64_t i = 0; i < cell->filters; i++) {
        write_topic(topic, i);
        must(juicebus_subscriber_subscribe(sub, "Tick", topic));
    }
    must(juicebus_subscriber_ready(sub, timeout_ms));
    return sub;
}

/* Takes a batch of what one subscriber has. */
static int take(struct receiving *r, juicebus_subscriber_t sub, uint64_t index, int64_t wait_ms) {
    juicebus_batch batch;
    int status = juicebus_subscriber_get_many(sub, r->cell->batch, wait_ms, &batch);
    if (status != JUICEBUS_OK)
        return status;
    for (size_t i = 0; i < batch.count; i++)
        receiving_note(r, index, get_number(batch.events[i].payload, batch.events[i].payload_size));
    juicebus_batch_free(&batch);
    return JUICEBUS_OK;
}

static void check_losses(juicebus_subscriber_t sub) {
    struct juicebus_subscriber_stats stats = {.struct_size = sizeof stats};
    must(juicebus_subscriber_stats(sub, &stats));
    if (stats.lost != 0 || stats.dropped != 0 || stats.skipped != 0)
        die("bus: lost %lld, dropped %llu, skipped %llu", (long long)stats.lost,
            (unsigned long long)stats.dropped, (unsigned long long)stats.skipped);
}

static void subscribe(struct cell *cell, const char *uri) {
    juicebus_subscriber_t *subs = allocate(cell->subscribers, sizeof *subs);
    struct pollfd *fds = allocate(cell->subscribers, sizeof *fds);
    for (uint64_t i = 0; i < cell->subscribers; i++) {
        subs[i] = open_subscriber(cell, uri);
        fds[i].events = POLLIN;
        must(juicebus_subscriber_fd(subs[i], &fds[i].fd));
    }
    struct receiving r = receiving_begin(cell);
    while (receiving_more(&r)) {
        if (cell->subscribers == 1) {
            if (take(&r, subs[0], 0, idle_ms) != JUICEBUS_OK)
                receiving_failed(&r);
            continue;
        }
        if (poll(fds, cell->subscribers, idle_ms) <= 0)
            receiving_failed(&r);
        for (uint64_t i = 0; i < cell->subscribers; i++)
            if (fds[i].revents != 0 && take(&r, subs[i], i, 0) < 0)
                receiving_failed(&r);
    }
    for (uint64_t i = 0; i < cell->subscribers; i++)
        check_losses(subs[i]);
    receiving_end(&r);
    for (uint64_t i = 0; i < cell->subscribers; i++) {
        must(juicebus_subscriber_close(subs[i]));
        close(fds[i].fd);
    }
    free(subs);
    free(fds);
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "pub") == 0)
        publish(cell_open(argv[2]), argv[3], strtoull(argv[4], NULL, 10));
    else if (argc == 4 && strcmp(argv[1], "sub") == 0)
        subscribe(cell_open(argv[2]), argv[3]);
    else
        die("usage: bus pub CELL URI INDEX | bus sub CELL URI");
    return 0;
}
