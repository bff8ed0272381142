// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "ready.h"
import "C"

import (
	"os"
	"syscall"
)

// Ready is a handle's ready fd: readable while there is something to take, or
// worth trying again, and for good once it is finished. ready.h has the rule
// that makes it level-triggered.
//
// Its methods are called under the owner's lock, except Wait. Waiters outside Go
// poll the fd between EnterWait and LeaveWait; the last one of a finished Ready
// closes it, so that no one polls a number that has become a stranger's.
type Ready struct {
	c        C.struct_jb_ready
	waiters  int
	finished bool
	wait     goWait
}

func newReady(socketFD int) (*Ready, error) {
	r := &Ready{wait: newGoWait()}
	return r, failure(C.jb_ready_open(&r.c, C.int(socketFD)))
}

// failure turns a negative errno into an error.
func failure(rc C.int) error {
	if rc < 0 {
		return syscall.Errno(-rc)
	}
	return nil
}

// NewMark returns a Ready without a socket: only its mark makes it readable.
func NewMark() (*Ready, error) { return newReady(-1) }

// Set marks that something was left behind.
func (r *Ready) Set() { C.jb_ready_set(&r.c) }

// Clear takes the mark away: nothing was found.
func (r *Ready) Clear() { C.jb_ready_clear(&r.c) }

// EnterWait returns the fd to poll, until LeaveWait.
func (r *Ready) EnterWait() int {
	r.waiters++
	return int(r.c.epoll_fd)
}

// LeaveWait ends what EnterWait began.
func (r *Ready) LeaveWait() {
	r.waiters--
	r.closeIfIdle()
}

// Dup returns a duplicate of the fd, which is the caller's to close.
func (r *Ready) Dup() (int, error) {
	fd := C.jb_ready_dup(&r.c)
	if fd < 0 {
		return 0, os.NewSyscallError("fcntl", syscall.Errno(-fd))
	}
	return int(fd), nil
}

// Finish makes the fd readable for good and wakes every waiter. socketFD is the
// fd that newReady was given, or -1.
func (r *Ready) Finish(socketFD int) {
	if r.finished {
		return
	}
	C.jb_ready_finish(&r.c, C.int(socketFD))
	r.finished = true
	r.wait.close()
	r.closeIfIdle()
}

func (r *Ready) closeIfIdle() {
	if r.finished && r.waiters == 0 {
		C.jb_ready_close(&r.c)
	}
}
