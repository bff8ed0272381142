// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

// #include "exports.h"
import "C"

// begin looks up the handle of a call that may wait, and ends the wait that its
// last try began.
func begin[T any](handle C.uint64_t, k kind, turn *C.struct_gojb_turn) (T, error) {
	if turn.waited != 0 {
		handles.leave(uint64(handle))
	}
	return get[T](uint64(handle), k)
}

// pause makes the caller wait for its next try, if it has time for one; else it
// says why not: last.
func pause(handle C.uint64_t, turn *C.struct_gojb_turn, last func() C.int) C.int {
	if turn.will_wait == 0 {
		return last()
	}
	fd, err := handles.enter(uint64(handle))
	if err != nil {
		return status(err)
	}
	turn.fd = C.int(fd)
	return again
}
