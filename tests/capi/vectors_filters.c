// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// tests/vectors/filters.json: subscribe gives the status written there, and of the
// events published then a subscriber receives what is written there: once, in order,
// and nothing else; the same by get and by get_many.
#include "bus.h"
#include "vector.h"

#include "filters_vectors.h"

enum { STEPS = sizeof filter_steps / sizeof filter_steps[0] };

static void do_subscription(juicebus_subscriber_t sub, const struct filter_step *step) {
    text name = text_of(step->name), topic = text_of(step->topic);
    CHECK_STATUS(step->status, juicebus_subscriber_subscribe(sub, name.data, topic.data));
    free(name.data);
    free(topic.data);
}

static void do_publish(juicebus_publisher_t pub, const struct filter_step *step) {
    text name = text_of(step->name), topic = text_of(step->topic);
    publish(pub, name.data, topic.data);
    free(name.data);
    free(topic.data);
}

static void is_received(const struct filter_step *step, const juicebus_event *event) {
    text name = text_of(step->received_name), topic = text_of(step->received_topic);
    CHECK_TEXT(name.data, event->name);
    CHECK_TEXT(topic.data, event->topic);
    free(name.data);
    free(topic.data);
}

// Two subscribers with the same subscriptions; each has one more, for the end mark.
static void open_two(bus b, size_t first, size_t end, juicebus_subscriber_t *subs) {
    for (int s = 0; s < 2; s++) {
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, NULL, &subs[s]));
        subscribe(subs[s], "~end", NULL);
        for (size_t i = first; i < end; i++)
            if (filter_steps[i].is_subscription)
                do_subscription(subs[s], &filter_steps[i]);
        settle(b.pub, subs[s]);
    }
}

static void received_by_get(juicebus_subscriber_t sub, size_t first, size_t end) {
    juicebus_event event;
    for (size_t i = first; i < end; i++) {
        if (filter_steps[i].received_name == NULL)
            continue;
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
        is_received(&filter_steps[i], &event);
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get(sub, DEADLINE_MS, &event));
    CHECK_TEXT("~end", event.name);
    CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
}

static void received_by_get_many(juicebus_subscriber_t sub, size_t first, size_t end) {
    juicebus_batch batch = {NULL, 0, NULL, 0, 0};
    size_t next = 0;
    for (size_t i = first; i <= end; i++) {
        if (i < end && filter_steps[i].received_name == NULL)
            continue;
        if (next == batch.count) {
            CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
            CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_get_many(sub, 3, DEADLINE_MS, &batch));
            CHECK(batch.count >= 1 && batch.count <= 3);
            next = 0;
        }
        if (i < end)
            is_received(&filter_steps[i], &batch.events[next++]);
        else
            CHECK_TEXT("~end", batch.events[next++].name);
    }
    CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
}

static void run_vector(bus b, size_t first, size_t end) {
    juicebus_subscriber_t subs[2];

    fprintf(stderr, "%s\n", filter_steps[first].id);
    open_two(b, first, end, subs);
    for (size_t i = first; i < end; i++)
        if (!filter_steps[i].is_subscription)
            do_publish(b.pub, &filter_steps[i]);
    publish(b.pub, "~end", NULL);
    received_by_get(subs[0], first, end);
    received_by_get_many(subs[1], first, end);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(subs[0]));
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(subs[1]));
}

int main(void) {
    bus b = bus_open();
    for (size_t first = 0, end; first < STEPS; first = end) {
        for (end = first; end < STEPS; end++)
            if (strcmp(filter_steps[first].id, filter_steps[end].id) != 0)
                break;
        run_vector(b, first, end);
    }
    bus_close(b);
    return 0;
}
