// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "take.h"
import "C"

import (
	"errors"
	"runtime"

	zmq "github.com/pebbe/zmq4"
)

// Limits of one take: more would hold the lock, and the caller, for too long.
const (
	MaxTakeEvents = 1024
	MaxTakeBytes  = 1 << 20
)

// Subscriber is a SUB socket.
type Subscriber struct{ base }

// OpenSubscriber connects to a proxy. max is the number of events that may wait
// to be taken.
func OpenSubscriber(uri string, max int) (*Subscriber, error) {
	base, err := open(zmq.SUB, uri, func(s *zmq.Socket) error {
		// Subscriptions are sent through the pipe too, and above SNDHWM they are
		// silently gone at a reconnect (libzmq#2258, #4064): no limit there.
		return errors.Join(s.SetRcvhwm(max), s.SetSndhwm(0))
	})
	if err != nil {
		return nil, err
	}
	s := &Subscriber{base: base}
	if err := s.zmq.Connect(uri); err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

// Subscribe adds a filter.
func (s *Subscriber) Subscribe(key []byte) error {
	// Any call on the socket may have consumed the edge of ZMQ_FD.
	defer s.Ready.Set()
	return s.zmq.SetSubscribe(string(key))
}

// Unsubscribe removes a filter.
func (s *Subscriber) Unsubscribe(key []byte) error {
	defer s.Ready.Set()
	return s.zmq.SetUnsubscribe(string(key))
}

// Take drains what waits, up to the limits, without waiting. The block is nil if
// nothing was there. oversize counts the events over maxEventBytes, which are
// thrown away.
func (s *Subscriber) Take(maxEvents int, maxEventBytes int64) (block *Block, bytes, oversize int, err error) {
	var c *C.struct_jb_block
	var drained C.struct_jb_drained
	rc := C.jb_take(s.pointer, &s.Ready.c, C.size_t(min(maxEvents, MaxTakeEvents)), MaxTakeBytes,
		C.size_t(maxEventBytes), &c, &drained)
	runtime.KeepAlive(s.zmq)
	if c != nil {
		block = &Block{c: c}
	}
	return block, int(drained.bytes), int(drained.oversize), failure(rc)
}

// Tend does what libzmq leaves to the next call on the socket. After a reconnect
// that is to send the subscriptions again (libzmq#2267): a subscriber that is
// busy elsewhere would have none until it takes its next event.
func (s *Subscriber) Tend() {
	C.jb_tend_subscriber(s.pointer, &s.Ready.c)
	runtime.KeepAlive(s.zmq)
}

// Close closes the socket and wakes every waiter.
func (s *Subscriber) Close() { s.discard() }
