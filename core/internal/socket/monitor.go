// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "handover.h"
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
	Connected Change = iota + 1
	Disconnected
	// Stopped is the last: the socket is closed and has handed over, or given up,
	// everything it held.
	Stopped
)

const monitored = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_MONITOR_STOPPED

// Monitor tells of a socket's connections. It is a socket of its own and must
// outlive the one it watches: it is closed after Stopped. Not safe for concurrent
// use.
type Monitor struct{ pair *zmq.Socket }

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
	return &Monitor{pair: pair}, nil
}

// Next returns the oldest change and the address it happened at, without waiting.
func (m *Monitor) Next() (change Change, address string, ok bool) {
	for {
		event, address, _, err := m.pair.RecvEvent(zmq.DONTWAIT)
		if err != nil {
			return 0, "", false
		}
		switch event {
		case zmq.EVENT_HANDSHAKE_SUCCEEDED:
			return Connected, address, true
		case zmq.EVENT_DISCONNECTED:
			return Disconnected, address, true
		case zmq.EVENT_MONITOR_STOPPED:
			return Stopped, address, true
		}
	}
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
