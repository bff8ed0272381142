// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// What a subscriber and the proxy say to each other besides events: who the proxy
// is, whether the subscriptions are live, and what has been forwarded.

package core

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// welcomeTime is how long a proxy that knows the control plane takes at most to say
// so, from the handshake on; one that has not is a legacy proxy. With 0.3 s, on a
// machine with five times the load that it has cores for, one of ours was taken for one.
const welcomeTime = time.Second

// greeting is what a proxy said of itself when it was connected to.
type greeting struct {
	identity control.Identity
	connect  uint64 // the number of the connection
}

// question is what the proxy has been asked about subscriptions, answer what it has
// answered. Both hold for one connection, and for the changes made before.
type (
	question struct {
		key              []byte // nil: none is open
		changes, connect uint64
	}
	answer struct{ changes, connect uint64 }
)

// hear takes a message on a reserved key in.
func (s *Subscriber) hear(block *socket.Block, i int) {
	k := block.Key(i)
	if identity, ok := control.ReadWelcome(k); ok {
		// What the monitor saw before this message is about older connections.
		s.link.read()
		s.proxy = greeting{identity: identity, connect: s.link.connects}
		s.counting = true
		return
	}
	switch {
	case block.Frames(i) == 0:
	case control.IsReadyKey(k):
		s.hearReady(k)
	case control.IsFlushKey(k):
		// Any other number is old, or made up by somebody who has seen the key.
		if number, ok := control.ReadFlushNumber(block.Frame(i, 0)); ok && number == s.expected {
			s.flushed = number
		}
	default:
		filter, isCheckpoint := control.ReadCheckpointKey(k)
		checkpoint, ok := control.ReadCheckpoint(block.Frame(i, 0))
		if one := s.filters.Find(filter); isCheckpoint && ok && one != nil && one.Key == string(filter) {
			s.lostBefore += one.Value.settle(checkpoint)
		}
	}
}

func (s *Subscriber) hearReady(k []byte) {
	if string(k) != string(s.asked.key) {
		return // an old one
	}
	if s.link.read(); s.asked.connect == s.link.connects {
		s.live = answer{changes: s.asked.changes, connect: s.asked.connect}
	}
	s.forgetQuestion()
}

func (s *Subscriber) forgetQuestion() {
	if s.asked.key != nil {
		_ = s.socket.Unsubscribe(s.asked.key) // it was subscribed to
		s.asked = question{}
	}
}

// welcomed tells whether the proxy that is connected knows the control plane.
func (s *Subscriber) welcomed() bool {
	return s.link.connected && s.proxy.connect == s.link.connects
}

// legacy tells whether it is known not to.
func (s *Subscriber) legacy() bool {
	return s.link.connected && !s.welcomed() && time.Since(s.link.since) > welcomeTime
}

// Ready waits, as long as ctx allows, until all subscriptions made so far are live:
// the proxy has confirmed them. Then every event that is published is counted, the
// lost ones too. Today's Juice proxy confirms nothing: [ErrUnconfirmed], after 1 s.
// Events that come meanwhile are kept.
func (s *Subscriber) Ready(ctx context.Context) error { return ask(ctx, s.TryReady) }

// TryReady is Ready without waiting; repeated, it goes on where it was.
func (s *Subscriber) TryReady() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := ErrClosed
	if !s.closed {
		err = s.askReady()
	}
	if err != nil {
		return fmt.Errorf("juicebus: wait until ready at %s: %w", s.uri, err)
	}
	return nil
}

func (s *Subscriber) askReady() error {
	// The answer may be behind events that nobody takes.
	if err := s.rescue(); err != nil {
		return err
	}
	s.look()
	switch {
	case !s.link.connected:
		return again(fmt.Errorf("%w: %s", ErrUnanswered, s.link.why(false)))
	case s.legacy():
		return fmt.Errorf("%w: it is a legacy proxy", ErrUnconfirmed)
	case !s.welcomed():
		return again(ErrUnanswered)
	case s.live == answer{changes: s.changes, connect: s.link.connects}:
		return nil
	case s.asked.key != nil && s.asked.changes == s.changes && s.asked.connect == s.link.connects:
		return again(ErrUnanswered)
	}
	s.forgetQuestion()
	if err := s.askCheckpoints(); err != nil { // before the question, so that they are known with its answer
		return err
	}
	var number [16]byte
	_, _ = rand.Read(number[:])
	s.asked = question{key: control.ReadyKey(number), changes: s.changes, connect: s.link.connects}
	if err := s.socket.Subscribe(s.asked.key); err != nil {
		return err
	}
	return again(ErrUnanswered)
}

// Confirmations are rare, and what they wait for has no fd of its own: they look for
// it, at first often.
const (
	askOften  = time.Millisecond
	askSeldom = 10 * time.Millisecond
	oftenFor  = 50 * time.Millisecond
)

// ask repeats a try that fails for a reason that passes, as long as ctx allows.
func ask(ctx context.Context, try func() error) error {
	for start := time.Now(); ; {
		err := try()
		if !Again(err) {
			return err
		}
		interval := askOften
		if time.Since(start) > oftenFor {
			interval = askSeldom
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-time.After(interval):
		}
	}
}
