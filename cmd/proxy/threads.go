// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"runtime"
	"sync"
)

// A proxy forwards in one thread; the other processors are the garbage collector's.
const maxProcs = 4

// spareThreads are those that may be held at a time besides the ones that run Go: by what
// forwards, while it waits, by a line to the log, and by some on their way between.
const spareThreads = 4

// makeThreads lets the runtime make all threads now that this process will ever need at
// one time; it keeps them. Made when the load first calls for one, a thread can be the one
// too many for the system's limits, and the runtime ends a process that gets none.
func makeThreads() {
	procs := min(runtime.GOMAXPROCS(0), maxProcs)
	runtime.GOMAXPROCS(procs)
	holdThreads(procs + spareThreads)
}

// holdThreads holds so many threads at a time, and lets go of them.
func holdThreads(count int) {
	var held, done sync.WaitGroup
	held.Add(count)
	for range count {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			held.Done()
			held.Wait()
		})
	}
	done.Wait()
}
