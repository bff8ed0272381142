// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "waiting.h"
import "C"

import (
	"sync/atomic"
	"unsafe"
)

// waiting counts the large frames in a socket's queues; waiting.h has why and how.
type waiting struct {
	c     *C.struct_jb_waiting
	bytes *uint64 // in C's memory
}

func waitingOf(c *C.struct_jb_waiting) waiting {
	return waiting{c: c, bytes: (*uint64)(unsafe.Pointer(C.jb_waiting_bytes(c)))}
}

// Bytes is the size of the large frames that wait now. Any goroutine may ask.
func (w *waiting) Bytes() int64 { return int64(atomic.LoadUint64(w.bytes)) }
