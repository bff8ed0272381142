// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "take.h"
import "C"

import (
	"errors"
	"runtime"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// Limits of one take: more would hold the lock, and the caller, for too long.
const (
	MaxTakeEvents = 1024
	MaxTakeBytes  = 1 << 20
)

// Subscriber is a SUB socket.
type Subscriber struct{ base }

// OpenSubscriber connects to a proxy, with a first filter. A frame over maxFrameBytes
// ends the connection. What waits to be taken has no bound: the owner sees to that.
func OpenSubscriber(uri string, filter []byte, maxFrameBytes int64, heartbeat time.Duration) (*Subscriber, error) {
	base, err := open(zmq.SUB, uri, heartbeat, func(s *zmq.Socket) error {
		// Subscriptions are sent through the pipe too, and above SNDHWM they are
		// silently gone at a reconnect (libzmq#2258, #4064): no limit there.
		return errors.Join(s.SetSndhwm(0), s.SetMaxmsgsize(maxFrameBytes), s.SetSubscribe(string(filter)),
			// A subscriber that has stopped altogether is not kept at the proxy.
			s.SetHeartbeatTtl(HeartbeatsToDeath*heartbeat))
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

// Taken is what a Take met.
type Taken struct {
	Block *Block // nil if there was nothing
	// Unkeyed counts events over the limit whose key was too large as well.
	Unkeyed int
	More    bool // something may be left behind
}

// Take drains what waits, up to the limits, without waiting. Of an event over
// maxEventBytes it leaves the key, as Oversize.
func (s *Subscriber) Take(maxEvents int, maxEventBytes int64) (Taken, error) {
	var c *C.struct_jb_block
	var drained C.struct_jb_drained
	rc := C.jb_take(s.pointer, &s.Ready.c, C.size_t(min(maxEvents, MaxTakeEvents)), MaxTakeBytes,
		C.size_t(maxEventBytes), &c, &drained)
	runtime.KeepAlive(s.zmq)
	taken := Taken{Unkeyed: int(drained.unkeyed), More: drained.more != 0}
	if c != nil {
		taken.Block = &Block{c: c}
	}
	return taken, failure(rc)
}

// Tend does what libzmq leaves to the next call on the socket, and tells whether
// something waits. After a reconnect that is to send the subscriptions again
// (libzmq#2267): a subscriber that is busy elsewhere would have none until it takes
// its next event.
func (s *Subscriber) Tend() (readable bool) {
	readable = C.jb_tend_subscriber(s.pointer, &s.Ready.c) != 0
	runtime.KeepAlive(s.zmq)
	return readable
}

// Close closes the socket and wakes every waiter.
func (s *Subscriber) Close() { s.discard() }
