// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "monitor.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// Change is what a Monitor reports.
type Change int

// The changes of a connection.
const (
	// Attached: there is a connection, of which nothing is known yet.
	Attached Change = iota + 1
	// Connected: a handshake has succeeded.
	Connected
	Disconnected
	// Refused: a handshake has failed. Disconnected may come as well, or instead.
	Refused
	// Retrying: libzmq has set itself to connect again.
	Retrying
	// Stopped is the last: the socket is closed and has handed over, or given up,
	// everything it held.
	Stopped
)

// monitorEvents is how many events are read in one crossing.
const monitorEvents = 16

// changes are libzmq's events that tell of a Change.
var changes = map[zmq.Event]Change{
	zmq.EVENT_CONNECTED:                  Attached,
	zmq.EVENT_HANDSHAKE_SUCCEEDED:        Connected,
	zmq.EVENT_DISCONNECTED:               Disconnected,
	zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: Refused,
	zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:  Refused,
	zmq.EVENT_HANDSHAKE_FAILED_AUTH:      Refused,
	zmq.EVENT_CONNECT_RETRIED:            Retrying,
	zmq.EVENT_CONNECT_DELAYED:            Retrying,
	zmq.EVENT_MONITOR_STOPPED:            Stopped,
}

func monitored() (events zmq.Event) {
	for event := range changes {
		events |= event
	}
	return events
}

// Monitor tells of a socket's connections. It is a socket of its own and must
// outlive the one it watches: it is closed after Stopped. Not safe for concurrent
// use.
type Monitor struct {
	pair *zmq.Socket
	fd   int
	read [monitorEvents]C.struct_jb_monitor_event
	left []C.struct_jb_monitor_event // of those, the ones that Next has not returned
}

var monitorNumber atomic.Uint64

func newMonitor(s *zmq.Socket, events zmq.Event) (*Monitor, error) {
	address := fmt.Sprintf("inproc://juicebus-monitor-%d", monitorNumber.Add(1))
	if err := s.Monitor(address, events); err != nil {
		return nil, err
	}
	pair, err := create(zmq.PAIR, address, func(pair *zmq.Socket) error {
		// libzmq's I/O thread blocks when this end is full, and with it every socket.
		return pair.SetRcvhwm(0)
	})
	if err != nil {
		return nil, err
	}
	if err := pair.Connect(address); err != nil {
		return nil, closing(pair, err)
	}
	fd, err := pair.GetFd()
	if err != nil {
		return nil, closing(pair, err)
	}
	return &Monitor{pair: pair, fd: fd}, nil
}

// Next returns the oldest change, and the file descriptor that it is Attached to,
// without waiting; not ok: there is none.
func (m *Monitor) Next() (change Change, fd int, ok bool) {
	if len(m.left) == 0 {
		count := C.jb_read_monitor(pointer(m.pair), &m.read[0], monitorEvents)
		runtime.KeepAlive(m.pair)
		if count <= 0 {
			return 0, 0, false
		}
		m.left = m.read[:count]
	}
	event := m.left[0]
	m.left = m.left[1:]
	return changes[zmq.Event(event.kind)], int(event.value), true
}

// AwaitStopped waits up to a timeout (rounded up to milliseconds; negative: for
// ever) until the closed socket has handed over everything. It holds its thread
// meanwhile, in C.
func (m *Monitor) AwaitStopped(timeout time.Duration) bool {
	ms := int64(-1)
	if timeout >= 0 {
		ms = int64((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	stopped := C.jb_await_stopped(pointer(m.pair), C.int64_t(ms)) > 0
	runtime.KeepAlive(m.pair)
	return stopped
}

// Close ends the monitor.
func (m *Monitor) Close() { _ = m.pair.Close() }
