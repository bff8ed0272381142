/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The juicebus authors
 *
 * A lock that threads in C and goroutines share. Not pthread's: a goroutine may let go
 * of it on another thread than it took it on, and takes it without a crossing while
 * nobody else has it. After Drepper, Futexes Are Tricky, 2011, section 5.
 */
#ifndef JB_LOCK_H
#define JB_LOCK_H

#include <stdint.h>

struct jb_lock {
    uint32_t state; /* 0: free; 1: taken; 2: taken, and somebody may wait for it */
};

/* What jb_lock and jb_unlock do when the lock is not free, or waited for. */
void jb_lock_wait(struct jb_lock *lock);
void jb_lock_wake(struct jb_lock *lock);

static inline void jb_lock(struct jb_lock *lock) {
    uint32_t unlocked = 0;
    if (!__atomic_compare_exchange_n(&lock->state, &unlocked, 1, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        jb_lock_wait(lock);
}

static inline void jb_unlock(struct jb_lock *lock) {
    if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) == 2)
        jb_lock_wake(lock);
}

#endif
