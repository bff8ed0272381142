// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"

	zmq "github.com/pebbe/zmq4"
)

// maxSockets is what the context may hold at once. A socket with a monitor costs
// three; libzmq's default of 1,023 would end at 341 handles. It fills a table of 12
// bytes for each at the start.
const maxSockets = 8191

// process is the one context of this process. zmq4's default context is not
// used: another library in the process might terminate it.
var process = sync.OnceValues(func() (*zmq.Context, error) {
	// The first timer opens Go's netpoller, which ends the process if there is no
	// file descriptor left: now, not when a host has used them up.
	time.Sleep(time.Nanosecond)
	context, err := zmq.NewContext()
	if err != nil {
		return nil, err
	}
	if err := context.SetMaxSockets(maxSockets); err != nil {
		return nil, err
	}
	return context, checkPointer()
})

// checkPointer finds out at start, not in the first event, that zmq4 has changed.
func checkPointer() error {
	field, ok := reflect.TypeOf(zmq.Socket{}).FieldByName("soc")
	if !ok || field.Type.Kind() != reflect.UnsafePointer {
		return fmt.Errorf("this zmq4 keeps its socket in another field than soc: the batch path cannot use it")
	}
	return nil
}

// pointer reads libzmq's socket out of zmq4's, which keeps it private; the batch
// path in C needs it. Whoever holds the pointer keeps the Socket reachable.
func pointer(s *zmq.Socket) unsafe.Pointer {
	return reflect.ValueOf(s).Elem().FieldByName("soc").UnsafePointer()
}
