// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "end.h"
import "C"

import (
	"os"
	"syscall"
)

// Ready is a ready fd: readable while there is something to take, or worth trying
// again, and for good once it is finished. ready.h has the rule that makes it
// level-triggered.
//
// Its methods are called under the owner's lock, except Wait. Waiters outside Go poll
// the fd of an end while they hold that.
type Ready struct {
	c        *C.struct_jb_ready
	mark     bool // it is nobody else's
	finished bool
	wait     goWait
}

// failure turns a negative errno into an error.
func failure(rc C.int) error {
	if rc < 0 {
		return syscall.Errno(-rc)
	}
	return nil
}

// NewMark returns a Ready without a socket: only its mark makes it readable.
func NewMark() (*Ready, error) {
	r := &Ready{c: new(C.struct_jb_ready), mark: true, wait: newGoWait()}
	return r, failure(C.jb_ready_open(r.c, -1))
}

// readyOf is the Ready of an end.
func readyOf(e *C.struct_jb_end) *Ready { return &Ready{c: &e.ready, wait: newGoWait()} }

// Set marks that something was left behind.
func (r *Ready) Set() { C.jb_ready_set(r.c) }

// Clear takes the mark away: nothing was found.
func (r *Ready) Clear() { C.jb_ready_clear(r.c) }

// Dup returns a duplicate of the fd, which is the caller's to close.
func (r *Ready) Dup() (int, error) {
	fd := C.jb_ready_dup(r.c)
	if fd < 0 {
		return 0, os.NewSyscallError("fcntl", syscall.Errno(-fd))
	}
	return int(fd), nil
}

// Finish makes the fd readable for good and wakes every waiter. socketFD is the socket's
// fd, -1 for a mark.
func (r *Ready) Finish(socketFD int) {
	if r.finished {
		return
	}
	C.jb_ready_finish(r.c, C.int(socketFD))
	r.finished = true
	r.wait.close()
	if r.mark {
		C.jb_ready_close(r.c)
	}
}
