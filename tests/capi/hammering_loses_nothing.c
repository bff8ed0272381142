// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors
//
// For three seconds, all at once on one subscriber: two threads get, two get_many, two
// subscribe and unsubscribe, while others publish numbered events and open and close
// subscribers of their own. Every number comes exactly once, and close then wakes all.
//
// The publisher of the numbers stays at most WINDOW ahead of the receivers, so that no
// queue is ever full and each loss is a defect.
#include "bus.h"

#include <pthread.h>
#include <sched.h>

enum { SECONDS = 3, WINDOW = 5000, NUMBERS_MAX = 4 << 20, GETTERS = 4, CHURNERS = 2 };

static bus b;
static unsigned char times_seen[NUMBERS_MAX];
static long published; // numbers that went
static long seen;      // numbers that came
static int over;       // the publishers' time is up

static int is_over(void) {
    return __atomic_load_n(&over, __ATOMIC_SEQ_CST);
}

static void note(const juicebus_event *event) {
    uint32_t number;
    if (strcmp(event->name, "Numbered") != 0)
        return;
    CHECK(event->payload_size == 6 + sizeof number);
    memcpy(&number, (const char *)event->payload + 6, sizeof number);
    CHECK(number < NUMBERS_MAX);
    CHECK(__atomic_add_fetch(&times_seen[number], 1, __ATOMIC_SEQ_CST) == 1);
    __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
}

static void *get_until_closed(void *timeout_ms) {
    juicebus_event event;
    int status;
    while ((status = juicebus_subscriber_get(b.sub, *(int64_t *)timeout_ms, &event)) !=
           JUICEBUS_CLOSED) {
        if (status == JUICEBUS_TIMEOUT)
            continue;
        CHECK_STATUS(JUICEBUS_OK, status);
        note(&event);
        CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
    }
    return NULL;
}

static void *get_many_until_closed(void *timeout_ms) {
    juicebus_batch batch;
    int status;
    while ((status = juicebus_subscriber_get_many(b.sub, 7, *(int64_t *)timeout_ms, &batch)) !=
           JUICEBUS_CLOSED) {
        if (status == JUICEBUS_TIMEOUT)
            continue;
        CHECK_STATUS(JUICEBUS_OK, status);
        for (size_t i = 0; i < batch.count; i++)
            note(&batch.events[i]);
        CHECK_STATUS(JUICEBUS_OK, juicebus_batch_free(&batch));
    }
    return NULL;
}

static void *subscribe_and_unsubscribe(void *name) {
    char topic[16];
    for (int i = 0; !is_over(); i++) {
        snprintf(topic, sizeof topic, "%d", i % 50);
        subscribe(b.sub, (const char *)name, topic);
        snprintf(topic, sizeof topic, "%d", (i + 25) % 50);
        CHECK_STATUS(JUICEBUS_OK,
                     juicebus_subscriber_unsubscribe(b.sub, (const char *)name, topic));
        if (i % 100 == 0)
            sched_yield();
    }
    return NULL;
}

// At most one event for each number, so that the window bounds these too.
static void *publish_noise(void *name) {
    char topic[16];
    long last = 0;
    while (!is_over()) {
        long now = __atomic_load_n(&published, __ATOMIC_SEQ_CST);
        if (now == last) {
            sched_yield();
            continue;
        }
        last = now;
        snprintf(topic, sizeof topic, "%ld", now % 50);
        publish(b.pub, (const char *)name, topic);
    }
    return NULL;
}

static void *open_and_close(void *unused) {
    while (!is_over()) {
        juicebus_subscriber_t sub;
        juicebus_event event;
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_open(b.sub_uri, NULL, &sub));
        subscribe(sub, "Numbered", NULL);
        if (juicebus_subscriber_get(sub, 20, &event) == JUICEBUS_OK)
            CHECK_STATUS(JUICEBUS_OK, juicebus_event_free(&event));
        CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(sub));
    }
    return unused;
}

// Publishes {"num": h'…'} with the number in four bytes.
static void publish_numbers(void) {
    unsigned char payload[10] = {0xa1, 0x63, 'n', 'u', 'm', 0x44};
    int64_t end_ms = now_ms() + SECONDS * 1000;
    uint32_t number = 0;
    while (now_ms() < end_ms && number < NUMBERS_MAX) {
        if ((long)number - __atomic_load_n(&seen, __ATOMIC_SEQ_CST) >= WINDOW) {
            sched_yield();
            continue;
        }
        memcpy(payload + 6, &number, sizeof number);
        CHECK_STATUS(JUICEBUS_OK, juicebus_publisher_publish(b.pub, "Numbered", NULL, payload,
                                                             sizeof payload, DEADLINE_MS));
        number++;
        __atomic_store_n(&published, (long)number, __ATOMIC_SEQ_CST);
    }
}

static void start(pthread_t *thread, void *(*run)(void *), void *arg) {
    CHECK(pthread_create(thread, NULL, run, arg) == 0);
}

static void join_all(pthread_t *threads, int count) {
    for (int i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
    static char noise[] = "Noise", din[] = "Din";
    static int64_t for_ever = -1, shortly = 3;
    pthread_t getters[GETTERS], others[2 * CHURNERS + 1];
    int64_t deadline_ms;

    b = bus_open();
    subscribe(b.sub, "Numbered", NULL);
    settle(b.pub, b.sub);
    start(&getters[0], get_until_closed, &for_ever);
    start(&getters[1], get_until_closed, &shortly);
    start(&getters[2], get_many_until_closed, &for_ever);
    start(&getters[3], get_many_until_closed, &shortly);
    start(&others[0], subscribe_and_unsubscribe, noise);
    start(&others[1], subscribe_and_unsubscribe, din);
    start(&others[2], publish_noise, noise);
    start(&others[3], publish_noise, din);
    start(&others[4], open_and_close, NULL);

    publish_numbers();
    deadline_ms = now_ms() + DEADLINE_MS;
    while (__atomic_load_n(&seen, __ATOMIC_SEQ_CST) < published && now_ms() < deadline_ms)
        sched_yield();
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    join_all(others, 2 * CHURNERS + 1);
    fprintf(stderr, "%ld published, %ld received\n", published, seen);
    CHECK(published > 1000 && seen == published);
    CHECK_STATUS(JUICEBUS_OK, juicebus_subscriber_close(b.sub));
    join_all(getters, GETTERS);
    bus_close(b);
    return 0;
}
