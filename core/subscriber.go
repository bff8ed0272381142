// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Subscriber receives events from a proxy. Safe for concurrent use.
//
// There is no goroutine between the socket and the caller: whoever wants events
// takes them from the socket, under the lock, in take.go. Waiting happens on the
// ready fd, without the lock. Only when nobody takes them are they brought into the
// ring, by housekeeping.
type Subscriber struct {
	uri           string
	options       subscriberOptions
	maxFrameBytes int64 // what is longer ends the connection
	notices       noticeChannel

	mu       locker // guards all below
	socket   *socket.Subscriber
	link     link
	filters  key.Filters[account]
	ring     ring
	drained  bool   // somebody found the socket empty since the last housekeeping
	taken    uint64 // messages of any kind
	arrival  unfinished
	slow     bool // the ring has dropped events since it was last empty
	closed   bool
	stats    SubscriberStats
	proxy    greeting
	asked    question
	live     answer
	changes  uint64 // subscriptions and their ends
	expected uint64 // as a publisher's: the number of its last question on its flush key
	flushed  uint64 // the last of those that was answered

	began      []*key.Filter[account] // filters that checkpoints have not been asked for
	counting   bool                   // the proxy is one that tells what it has forwarded
	lostBefore uint64                 // in accounts that have ended
}

// SubscriberStats are a subscriber's counts since it was opened.
type SubscriberStats struct {
	Events         uint64 // taken
	Bytes          uint64 // their keys and payloads
	Dropped        uint64 // received, but for want of room or over MaxEventBytes
	Skipped        uint64 // received, but no event, or of a name not subscribed to
	Lost           int64  // events for this subscriber that it will never get, Dropped included; -1: not known
	PendingEvents  uint64 // received, and kept for whoever takes them
	PendingBytes   uint64 // their keys and payloads
	Slow           uint64 // how often it has begun to drop for want of room
	Reconnects     uint64 // connections made after the first
	Connected      bool   // the proxy is there
	ConnectedSince time.Time
}

// NewSubscriber opens a subscriber for a proxy's subscriber port, such as
// "tcp://127.0.0.1:5123". It does not block, and the proxy need not be there yet.
// It receives nothing before its first subscription.
func NewSubscriber(uri string, options ...SubscriberOption) (*Subscriber, error) {
	s := &Subscriber{uri: uri, options: subscriberOptions{queueOptions: defaultQueue}}
	s.options.overflow = OverflowDropOldest
	for _, option := range options {
		option.setSubscriber(&s.options)
	}
	err := errors.Join(Poisoned(), endpoint.Check(uri, false), s.options.check())
	if err == nil {
		// A frame over the limit ends the connection, so it is not for the events
		// that only this subscriber does not want.
		limit := max(s.options.maxEventBytes, DefaultMaxEventBytes)
		s.maxFrameBytes = limit + limit/4
		s.socket, err = socket.OpenSubscriber(uri, control.WelcomeKey(), s.maxFrameBytes, s.options.maxEventBytes, s.options.heartbeat)
	}
	if err != nil {
		return nil, fmt.Errorf("juicebus: open subscriber: %w", err)
	}
	s.mu = locker{end: s.socket, enter: s.takeIn, direct: s.direct}
	s.ring = ring{maxEvents: s.options.maxEvents, maxBytes: s.options.maxBytes, overflow: s.options.overflow}
	s.link.init(s.socket.Monitor, uri, s.options.heartbeat, s.socket.Reattach)
	housekeeping.add(s)
	return s, nil
}

// Subscribe asks for events of one name, and of one topic if it is not empty. The
// topic "a.b" takes in "a.b" and "a.b.c", not "a.bb". The same name and topic
// twice is once. Names that are dotted prefixes of each other are refused with an
// [AmbiguousError], and what was subscribed before stays.
func (s *Subscriber) Subscribe(name, topic string) error {
	return s.change("subscribe", name, topic, s.filters.Add, (*socket.Subscriber).Subscribe)
}

// Unsubscribe ends what Subscribe began, if it did. Events that are already here
// may still come. With its last topic a name is free again.
func (s *Subscriber) Unsubscribe(name, topic string) error {
	return s.change("unsubscribe", name, topic, s.filters.Remove, (*socket.Subscriber).Unsubscribe)
}

func (s *Subscriber) change(what, name, topic string,
	note func(name, topic string) (key.Change[account], error), apply func(*socket.Subscriber, []byte) error,
) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := ErrClosed
	if !s.closed {
		var change key.Change[account]
		if change, err = note(name, topic); change.Done {
			err = errors.Join(apply(s.socket, key.Append(nil, name, topic)), s.account(change))
			s.changes++
		}
	}
	if err != nil {
		return s.failure(fmt.Sprintf("%s %s at", what, Event{Name: name, Topic: topic}.title()), err)
	}
	return nil
}

// account notes the filters that began, and closes the accounts of those that ended.
func (s *Subscriber) account(change key.Change[account]) (err error) {
	for _, filter := range change.Began {
		filter.Value.sorted = s.socket.AddFilter(filter.Key, filter.NameSize)
	}
	if s.began = append(s.began, change.Began...); len(s.began) > 0 {
		housekeeping.hurry() // it asks for their checkpoints
	}
	for _, filter := range change.Ended {
		s.lostBefore += filter.Value.lost
		s.socket.RemoveFilter(filter.Value.sorted)
		if filter.Value.asked {
			err = errors.Join(err, s.socket.Unsubscribe(control.CheckpointKey([]byte(filter.Key))))
		}
	}
	return err
}

// askCheckpoints asks for checkpoints of the filters that have begun, unless they have
// ended since.
func (s *Subscriber) askCheckpoints() (err error) {
	for _, filter := range s.began {
		if s.filters.Disjoint()[filter.Key] == filter {
			filter.Value.asked = true
			err = errors.Join(err, s.socket.Subscribe(control.CheckpointKey([]byte(filter.Key))))
		}
	}
	s.began = nil
	return err
}

// FD returns a file descriptor that is readable while an event waits, and for
// good once the subscriber is closed. It can be readable although nothing is
// there. It is the caller's to close.
func (s *Subscriber) FD() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, os.ErrClosed
	}
	return s.socket.Ready.Dup()
}

// End is what a binding in C takes events from past Go, as a pointer; 0 once it is
// closed.
func (s *Subscriber) End() uintptr { return s.socket.Pointer() }

// takeIn takes in what callers in C have taken past Go.
func (s *Subscriber) takeIn() {
	if s.closed {
		return
	}
	passed := s.socket.Passed()
	s.stats.Events += passed.Events
	s.stats.Bytes += passed.Bytes
	s.stats.Dropped += passed.Unkeyed
	s.taken += passed.Events + passed.Unkeyed
	s.drained = s.drained || passed.Emptied
}

// direct tells whether they may: what the ring holds comes first.
func (s *Subscriber) direct() bool { return !s.closed && s.ring.events == 0 }

// Stats returns the counts since it was opened.
func (s *Subscriber) Stats() (SubscriberStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return SubscriberStats{}, s.failure("ask stats of", ErrClosed)
	}
	s.look()
	stats := s.stats
	stats.Lost = s.lost()
	stats.PendingEvents, stats.PendingBytes = uint64(s.ring.events), uint64(s.ring.bytes)
	stats.Reconnects, stats.Connected = s.link.reconnects, s.link.connected
	if stats.Connected {
		stats.ConnectedSince = s.link.since
	}
	return stats, nil
}

// look reads what has happened to the connection.
func (s *Subscriber) look() {
	s.link.read()
	s.judge()
}

// judge takes a proxy that has not said who it is for one that does not count.
func (s *Subscriber) judge() {
	if s.legacy() {
		s.counting = false
	}
}

// tend is housekeeping: an unread monitor grows, a socket that nobody takes from
// does not subscribe again after a reconnect, and what nobody takes is brought into
// the ring before the socket's own queue is full and the network loses it.
func (s *Subscriber) tend() (calm bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return true
	}
	s.link.tend()
	s.judge()
	_ = s.askCheckpoints() // a filter that libzmq has taken is short enough for this
	waits := s.socket.Tend()
	switch {
	case waits && !s.drained:
		_ = s.rescue() // what fails here fails for the next who takes
	case !waits && s.ring.events == 0:
		s.socket.Ready.Clear()
	}
	s.drained = false
	s.arrival.watch(message{mu: &s.mu, link: &s.link, limit: s.maxFrameBytes, taken: func() (uint64, bool) {
		return s.taken, !s.closed && !s.socket.Tend()
	}})
	return s.link.calm() && !waits && s.ring.events == 0
}

func (s *Subscriber) watch(poller *socket.Poller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.socket.Watch(poller)
		s.link.connection.Watch(poller)
	}
}

// Close closes the subscriber. Waiting goroutines return [ErrClosed]; events not
// yet taken are gone. It does not block. A second Close does nothing.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.socket.Close()
		s.link.close()
		s.ring.clear()
		housekeeping.remove(s)
	}
	return nil
}

func (s *Subscriber) failure(what string, err error) error {
	return fmt.Errorf("juicebus: %s %s: %w", what, s.uri, err)
}
