/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * One cell of the benchmark: a page that the processes of the cell share. flow.py
 * writes what they shall do; the counts let publishers stay a window ahead of the
 * subscribers, so that no queue on the way has to drop. raw.c, bus.c and gobus use it.
 *
 * First each publisher sends probes until every subscriber has had one of each
 * publisher; then the subscribers say go, and the clocks run until all has arrived.
 */
#ifndef CELL_H
#define CELL_H

#include <fcntl.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { idle_ms = 10000, nap_ns = 200000, probe_nap_ns = 1000000 };

struct cell {
    uint64_t publishers;
    uint64_t events;      /* of each publisher */
    uint64_t keys;        /* that each publisher goes through in turn */
    uint64_t filters;     /* of each subscriber, one a key; 0: one for all keys */
    uint64_t subscribers; /* all in one process */
    uint64_t window;      /* events that may be under way, counted once a subscriber */
    uint64_t batch;       /* events that are published, or taken, with one call */
    uint64_t unchecked;   /* 1: publishers do not check payloads */
    uint64_t proxy_pid;
    alignas(64) _Atomic uint64_t go;
    alignas(64) _Atomic uint64_t sent;     /* by all publishers, probes apart */
    alignas(64) _Atomic uint64_t received; /* by all subscribers together, probes apart */
};

_Noreturn static inline void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static inline struct cell *cell_open(const char *path) {
    int fd = open(path, O_RDWR);
    void *page = fd < 0
                     ? MAP_FAILED
                     : mmap(NULL, sizeof(struct cell), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        die("%s: cannot be mapped", path);
    close(fd);
    return page;
}

static inline uint64_t cell_total(const struct cell *cell) {
    return cell->publishers * cell->events * cell->subscribers;
}

static inline int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        die("a clock cannot be read");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void nap(long ns) {
    nanosleep(&(struct timespec){0, ns}, NULL);
}

/* Waits until `sent` is no further than `ahead` before what has been received. */
static inline void cell_wait(struct cell *cell, uint64_t sent, uint64_t ahead) {
    uint64_t received = atomic_load(&cell->received);
    int64_t moved_ns = clock_ns(CLOCK_MONOTONIC);
    while (sent * cell->subscribers > received + ahead) {
        nap(nap_ns);
        uint64_t now = atomic_load(&cell->received);
        if (now != received)
            moved_ns = clock_ns(CLOCK_MONOTONIC);
        else if (clock_ns(CLOCK_MONOTONIC) - moved_ns > idle_ms * INT64_C(1000000))
            die("publisher: stuck, %llu of %llu received", (unsigned long long)received,
                (unsigned long long)cell_total(cell));
        received = now;
    }
}

/* Before a publisher sends `count` more. */
static inline void cell_make_room(struct cell *cell, uint64_t count) {
    cell_wait(cell, atomic_fetch_add(&cell->sent, count) + count, cell->window);
}

/* A publisher's part, between go and the arrival of all that was published: what it
 * sent is out of its process then. */
struct publishing {
    struct cell *cell;
    int64_t cpu_ns;
};

static inline struct publishing publishing_begin(struct cell *cell) {
    return (struct publishing){cell, clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
}

static inline void publishing_end(const struct publishing *p) {
    cell_wait(p->cell, p->cell->publishers * p->cell->events, 0);
    printf("{\"events\": %llu, \"cpu_ns\": %lld}\n", (unsigned long long)p->cell->events,
           (long long)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - p->cpu_ns));
}

/* The subscribers' part. */
struct receiving {
    struct cell *cell;
    clockid_t proxy;
    unsigned char *probed; /* for each subscriber and publisher: a probe has come */
    uint64_t awaited;      /* of those */
    uint64_t received;
    uint64_t sum; /* of the numbers: each event has come once */
    int64_t wall_ns, cpu_ns, proxy_cpu_ns;
};

static inline struct receiving receiving_begin(struct cell *cell) {
    struct receiving r = {.cell = cell, .awaited = cell->subscribers * cell->publishers};
    r.probed = calloc(r.awaited, 1);
    if (!r.probed || clock_getcpuclockid((pid_t)cell->proxy_pid, &r.proxy) != 0)
        die("subscriber: no memory, or no proxy %llu", (unsigned long long)cell->proxy_pid);
    return r;
}

/* The numbers of probes; the events have theirs from 0. */
static inline uint64_t probe_number(uint64_t publisher) {
    return UINT64_MAX - publisher;
}

static inline void receiving_start(struct receiving *r) {
    r->wall_ns = clock_ns(CLOCK_MONOTONIC);
    r->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    r->proxy_cpu_ns = clock_ns(r->proxy);
    atomic_store(&r->cell->go, 1);
}

/* Notes that a subscriber has had the event of that number. */
static inline void receiving_note(struct receiving *r, uint64_t subscriber, uint64_t number) {
    uint64_t publisher = probe_number(number);
    if (publisher < r->cell->publishers) {
        unsigned char *probed = &r->probed[subscriber * r->cell->publishers + publisher];
        if (!*probed) {
            *probed = 1;
            if (--r->awaited == 0)
                receiving_start(r);
        }
        return;
    }
    r->received++;
    r->sum += number;
}

/* Whether there is more to come; publishers learn what has come so far. */
static inline int receiving_more(struct receiving *r) {
    if (r->received < cell_total(r->cell)) {
        atomic_store_explicit(&r->cell->received, r->received, memory_order_release);
        return 1;
    }
    r->wall_ns = clock_ns(CLOCK_MONOTONIC) - r->wall_ns;
    r->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - r->cpu_ns;
    r->proxy_cpu_ns = clock_ns(r->proxy) - r->proxy_cpu_ns;
    atomic_store(&r->cell->received, r->received);
    return 0;
}

_Noreturn static inline void receiving_failed(const struct receiving *r) {
    die("subscriber: lost: %llu of %llu received, %llu probes missing",
        (unsigned long long)r->received, (unsigned long long)cell_total(r->cell),
        (unsigned long long)r->awaited);
}

static inline void receiving_end(struct receiving *r) {
    uint64_t each = r->cell->events;
    if (r->sum != r->cell->subscribers * r->cell->publishers * (each * (each - 1) / 2))
        die("subscriber: some events came twice, and others did not come");
    printf("{\"events\": %llu, \"wall_ns\": %lld, \"cpu_ns\": %lld, \"proxy_cpu_ns\": %lld}\n",
           (unsigned long long)r->received, (long long)r->wall_ns, (long long)r->cpu_ns,
           (long long)r->proxy_cpu_ns);
    free(r->probed);
}

#endif
