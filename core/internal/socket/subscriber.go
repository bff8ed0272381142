// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "take.h"
import "C"

import (
	"errors"
	"runtime"
	"time"
	"unsafe"

	zmq "github.com/pebbe/zmq4"
)

// Subscriber is a SUB socket.
type Subscriber struct {
	base
	c *C.struct_jb_subscriber // the end
}

// OpenSubscriber connects to a proxy, with a first filter. A frame over maxFrameBytes
// ends the connection; of an event over maxEventBytes only the key is taken, as
// Oversize. What waits to be taken has no bound: the owner sees to that.
func OpenSubscriber(uri string, filter []byte, maxFrameBytes, maxEventBytes int64, heartbeat time.Duration) (*Subscriber, error) {
	base, err := open(zmq.SUB, uri, heartbeat, newSubscriberEnd(maxEventBytes), func(s *zmq.Socket) error {
		// Subscriptions are sent through the pipe too, and above SNDHWM they are
		// silently gone at a reconnect (libzmq#2258, #4064): no limit there.
		return errors.Join(s.SetSndhwm(0), s.SetMaxmsgsize(maxFrameBytes), s.SetSubscribe(string(filter)),
			// A subscriber that has stopped altogether is not kept at the proxy.
			s.SetHeartbeatTtl(HeartbeatsToDeath*heartbeat))
	})
	if err != nil {
		return nil, err
	}
	s := newSubscriber(base)
	if err := s.zmq.Connect(uri); err != nil {
		return nil, s.abandon(err)
	}
	return s, nil
}

func newSubscriberEnd(maxEventBytes int64) endMaker {
	return func() *C.struct_jb_end { return C.jb_subscriber_new(C.size_t(maxEventBytes)) }
}

func newSubscriber(b base) *Subscriber {
	return &Subscriber{base: b, c: (*C.struct_jb_subscriber)(unsafe.Pointer(b.end.c))}
}

// Subscribe lets messages come whose keys begin so.
func (s *Subscriber) Subscribe(key []byte) error {
	// Any call on the socket may have consumed the edge of ZMQ_FD.
	defer s.Ready.Set()
	return s.zmq.SetSubscribe(string(key))
}

// Unsubscribe ends that.
func (s *Subscriber) Unsubscribe(key []byte) error {
	defer s.Ready.Set()
	return s.zmq.SetUnsubscribe(string(key))
}

// Filter is one of those by which events are sorted in C.
type Filter struct{ c *C.struct_jb_filter }

// Came is how many events were, under this filter.
func (f Filter) Came() uint64 {
	if f.c == nil {
		return 0
	}
	return uint64(f.c.came)
}

// AddFilter lets events under a key, with its final dot, be sorted in C: their names
// have nameSize bytes. Without memory they are not.
func (s *Subscriber) AddFilter(key string, nameSize int) Filter {
	data := unsafe.Pointer(unsafe.StringData(key))
	return Filter{C.jb_filters_add(&s.c.filters, data, C.size_t(len(key)), C.size_t(nameSize))}
}

// RemoveFilter ends that. The filter must not be used any more.
func (s *Subscriber) RemoveFilter(f Filter) {
	if f.c != nil {
		C.jb_filters_remove(&s.c.filters, f.c)
	}
}

// MaxTakeEvents is how many events one Take returns at most.
const MaxTakeEvents = C.jb_take_events_max

// Taken is what a Take met.
type Taken struct {
	Block *Block // nil if there was nothing
	// Unkeyed counts events over the limit whose key was too large as well.
	Unkeyed int
	More    bool // something may be left behind
}

// Take drains what waits, up to the limits, without waiting, and begins to sort it.
func (s *Subscriber) Take(maxEvents int) (Taken, error) {
	var c *C.struct_jb_block
	var drained C.struct_jb_drained
	rc := C.jb_take(s.c, C.size_t(maxEvents), &c, &drained)
	runtime.KeepAlive(s.zmq)
	taken := Taken{Unkeyed: int(drained.unkeyed), More: drained.more != 0}
	if c != nil {
		taken.Block = &Block{c: c}
	}
	return taken, failure(rc)
}

// Passed is what callers in C have taken past Go.
type Passed struct {
	Events, Bytes, Unkeyed uint64
	Emptied                bool // nothing was left
}

// Passed returns what that was since the last call.
func (s *Subscriber) Passed() Passed {
	c := s.c
	passed := Passed{Events: uint64(c.events), Bytes: uint64(c.bytes), Unkeyed: uint64(c.unkeyed), Emptied: c.emptied != 0}
	c.events, c.bytes, c.unkeyed, c.emptied = 0, 0, 0, 0
	return passed
}

// Kept tells whether a caller in C has left a batch that it has taken.
func (s *Subscriber) Kept() bool { return s.c.kept != nil }

// TellSlow tells callers in C how often events have begun to be dropped.
func (s *Subscriber) TellSlow(times uint64) { s.c.slow = C.uint64_t(times) }

// Tend does what libzmq leaves to the next call on the socket, and tells whether
// something waits. After a reconnect that is to send the subscriptions again
// (libzmq#2267): a subscriber that is busy elsewhere would have none until it takes
// its next event.
func (s *Subscriber) Tend() (readable bool) {
	readable = C.jb_tend_subscriber(s.end.c) != 0
	runtime.KeepAlive(s.zmq)
	return readable || s.Kept()
}

// Watch lets a poller tell of what comes to the socket, or is left behind, and of its
// connections.
func (s *Subscriber) Watch(poller *Poller) {
	poller.Watch(int(s.end.c.ready.epoll_fd))
	poller.Watch(s.Monitor.fd)
}

// Close closes the socket and wakes every waiter.
func (s *Subscriber) Close() { s.discard() }
