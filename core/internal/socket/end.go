// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "direct.h"
// #include "end.h"
import "C"

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// end is what Go and callers in C share of a socket; end.h has why. Its lock is taken
// under the lock of the core object that owns it.
type end struct {
	c     *C.struct_jb_end
	state *uint32 // of the lock, in C's memory
	over  bool    // the socket is closed
}

// endMaker makes the memory of an end of one kind; nil: there is none.
type endMaker func() *C.struct_jb_end

// makeEnd makes an end for a socket.
func makeEnd(newEnd endMaker, socket unsafe.Pointer, socketFD int) (end, error) {
	c := newEnd()
	if c == nil {
		return end{}, syscall.ENOMEM
	}
	c.socket, c.holders = socket, 1
	e := end{c: c, state: (*uint32)(unsafe.Pointer(&c.lock.state))}
	if rc := C.jb_ready_open(&c.ready, C.int(socketFD)); rc < 0 {
		e.release()
		return end{}, failure(rc)
	}
	return e, nil
}

// Lock keeps callers in C out. After the end of the socket there is nothing to lock.
func (e *end) Lock() {
	if e.c != nil && !atomic.CompareAndSwapUint32(e.state, 0, 1) {
		C.jb_lock_wait(&e.c.lock)
	}
}

// Unlock lets them in again, to use the socket themselves if direct is true.
func (e *end) Unlock(direct bool) {
	if e.c == nil {
		return
	}
	e.c.direct = 0
	if direct {
		e.c.direct = 1
	}
	if atomic.SwapUint32(e.state, 0) == 2 {
		C.jb_lock_wake(&e.c.lock)
	}
	if e.over {
		e.release()
	}
}

func (e *end) release() {
	C.jb_end_release(e.c)
	e.c = nil
}

// Pointer is the jb_end, for a binding in C.
func (e *end) Pointer() uintptr { return uintptr(unsafe.Pointer(e.c)) }

// Poison keeps callers in C from doing anything past Go, for good.
func Poison() { C.jb_end_poison() }
