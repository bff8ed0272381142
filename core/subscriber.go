// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Subscriber receives events from a proxy. Safe for concurrent use.
//
// There is no goroutine between the socket and the caller: whoever wants events
// takes them from the socket, under the lock, in take.go. Waiting happens on the
// ready fd, without the lock.
type Subscriber struct {
	uri     string
	options subscriberOptions

	mu      sync.Mutex // guards all below
	socket  *socket.Subscriber
	link    link
	filters key.Filters
	closed  bool
	stats   SubscriberStats
}

// SubscriberStats are a subscriber's counts since it was opened.
type SubscriberStats struct {
	Events     uint64 // taken
	Bytes      uint64 // their keys and payloads
	Dropped    uint64 // received, but over MaxEventBytes
	Skipped    uint64 // received, but no event, or of a name not subscribed to
	Lost       int64  // events for this subscriber that it will never get; -1: not known
	Reconnects uint64 // connections made after the first
	Connected  bool   // the proxy is there
}

// NewSubscriber opens a subscriber for a proxy's subscriber port, such as
// "tcp://127.0.0.1:5123". It does not block, and the proxy need not be there yet.
// It receives nothing before its first subscription.
func NewSubscriber(uri string, options ...SubscriberOption) (*Subscriber, error) {
	s := &Subscriber{uri: uri, options: subscriberOptions{
		maxEvents: DefaultMaxEvents, maxEventBytes: DefaultMaxEventBytes,
	}, stats: SubscriberStats{Lost: -1}}
	for _, option := range options {
		option.setSubscriber(&s.options)
	}
	err := errors.Join(Poisoned(), endpoint.Check(uri, false),
		checkLimits(s.options.maxEvents, s.options.maxEventBytes))
	if err == nil {
		s.socket, err = socket.OpenSubscriber(uri, s.options.maxEvents)
	}
	if err != nil {
		return nil, fmt.Errorf("juicebus: open subscriber: %w", err)
	}
	s.link.init(s.socket.Monitor, uri)
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

func (s *Subscriber) change(what, name, topic string, note func(name, topic string) (bool, error),
	apply func(*socket.Subscriber, []byte) error,
) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := ErrClosed
	if !s.closed {
		var changed bool
		if changed, err = note(name, topic); changed {
			err = apply(s.socket, key.Append(nil, name, topic))
		}
	}
	if err != nil {
		return s.failure(fmt.Sprintf("%s %s at", what, Event{Name: name, Topic: topic}.title()), err)
	}
	return nil
}

// Ready waits until all subscriptions made so far are live, that is, until the
// proxy has confirmed them. In this version no proxy can: [ErrUnconfirmed], at
// once.
func (s *Subscriber) Ready(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.failure("wait for", ErrClosed)
	}
	return s.failure("wait for", ErrUnconfirmed)
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

// EnterWait returns the fd itself to a caller that waits outside Go, until its
// LeaveWait; not ok: it is closed.
func (s *Subscriber) EnterWait() (fd int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, false
	}
	return s.socket.Ready.EnterWait(), true
}

// LeaveWait ends what EnterWait began.
func (s *Subscriber) LeaveWait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.socket.Ready.LeaveWait()
}

// Stats returns the counts since it was opened.
func (s *Subscriber) Stats() (SubscriberStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return SubscriberStats{}, s.failure("ask stats of", ErrClosed)
	}
	s.link.read()
	s.stats.Reconnects, s.stats.Connected = s.link.reconnects, s.link.connected
	return s.stats, nil
}

// tend is housekeeping: an unread monitor grows, and a socket that nobody takes
// from does not subscribe again after a reconnect.
func (s *Subscriber) tend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.socket.Tend()
		s.link.tend()
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
		housekeeping.remove(s)
	}
	return nil
}

func (s *Subscriber) failure(what string, err error) error {
	return fmt.Errorf("juicebus: %s %s: %w", what, s.uri, err)
}
