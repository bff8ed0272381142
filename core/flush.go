// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// How a publisher learns that its events have reached the proxy. It asks on a key of
// its own, behind the events, and the proxy answers to its subscribers; so the
// publisher subscribes to that key at the proxy's other side.

package core

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// askPause is longer than between two looks of somebody who waits.
const askPause = 250 * time.Millisecond

// reachTime is how long it may take to reach the address that the proxy announced.
const reachTime = time.Second

// flushing is what a publisher knows of its proxy's other side. Positions count the
// publisher's accepted events, in order. Under the publisher's lock.
type flushing struct {
	id        [16]byte
	proxy     control.Announcement
	connect   uint64 // the connection that it was announced on
	answers   *Subscriber
	tried     time.Time // since when the other side has not been ready
	looked    time.Time // when it was last found so
	number    uint64    // of the last question
	asked     uint64    // its position
	behind    uint64    // how many events had been handed to the socket before it
	askedOn   uint64    // its connection
	askedAt   time.Time
	confirmed uint64 // position up to which everything has arrived
	arrived   uint64 // how many events, of those handed to the socket
	sentOn    uint64 // the connection that was last seen
	doubtful  uint64 // events that had not been confirmed when their connection was lost
	doubt     uint64 // up to how many, of those handed to the socket, some may have been
}

func (f *flushing) announced(a control.Announcement, connect uint64) {
	if f.answers != nil && a != f.proxy {
		f.close()
	}
	f.proxy, f.connect, f.tried = a, connect, time.Time{}
}

// look notes what a lost connection may have taken along.
func (f *flushing) look(l *link, handed uint64) {
	if l.connects == f.sentOn && l.connected || l.connects == 0 {
		return
	}
	if known := max(f.arrived, f.doubt); handed > known && f.sentOn > 0 {
		f.doubtful += handed - known
		f.doubt = handed
	}
	if l.connected {
		f.sentOn = l.connects
	}
}

func (f *flushing) close() {
	if f.answers != nil {
		_ = f.answers.Close()
		f.answers = nil
	}
}

// sent is the position of the last event that is not in the queue any more.
func (p *Publisher) sent() uint64 { return p.stats.Events - uint64(p.queue.len()) }

// unconfirmed bounds what has been sent and may never have arrived.
func (p *Publisher) unconfirmed() uint64 {
	if p.options.bind {
		return 0
	}
	return p.flush.doubtful + p.handed - min(max(p.flush.arrived, p.flush.doubt), p.handed)
}

// Flush waits, as long as ctx allows, until everything accepted so far has reached
// the proxy. [ErrUnconfirmed]: that cannot be known, because the proxy is a legacy
// one, or its subscriber side cannot be reached from here, or a connection was lost
// on the way, which is told once.
func (p *Publisher) Flush(ctx context.Context) error {
	p.mu.Lock()
	events := p.stats.Events
	p.mu.Unlock()
	return ask(ctx, func() error { return p.TryFlush(events) })
}

// TryFlush tells whether the first so many events that were accepted have reached
// the proxy, without waiting; repeated, it goes on where it was.
func (p *Publisher) TryFlush(events uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := ErrClosed
	if !p.closed {
		err = p.askFlush(events)
	}
	if err != nil {
		return p.failure("flush", err)
	}
	return nil
}

func (p *Publisher) askFlush(events uint64) error {
	f := &p.flush
	p.look()
	switch {
	case p.options.bind:
		return fmt.Errorf("%w: there is no proxy", ErrUnconfirmed)
	case !p.through():
		return again(fmt.Errorf("%w: %s", ErrUnanswered, p.link.why(false)))
	case f.connect != p.link.connects && time.Since(p.link.since) > welcomeTime:
		return fmt.Errorf("%w: it is a legacy proxy", ErrUnconfirmed)
	case f.connect != p.link.connects || p.sent() < events:
		return again(ErrUnanswered)
	case f.confirmed >= events:
		return nil
	case f.doubt > f.arrived:
		lost := f.doubt - f.arrived
		f.arrived = f.doubt
		return fmt.Errorf("%w: the connection was lost, and up to %d events with it", ErrUnconfirmed, lost)
	}
	if err := p.reachAnswers(); err != nil {
		return err
	}
	if f.number != 0 && f.answers.heardFlush() == f.number && f.askedOn == p.link.connects {
		f.confirmed, f.arrived = max(f.confirmed, f.asked), max(f.arrived, f.behind)
		if f.confirmed >= events {
			return nil
		}
	}
	if f.askedOn != p.link.connects || f.asked < events || time.Since(f.askedAt) > reachTime {
		var random [8]byte
		_, _ = rand.Read(random[:])
		number := binary.BigEndian.Uint64(random[:])
		f.answers.expectFlush(number)
		question := socket.Event{Key: control.FlushKey(f.id), Frames: [][]byte{control.FlushNumber(number)}}
		if sent, _ := p.socket.Send([]socket.Event{question}); sent == 1 {
			f.number = number
			f.asked, f.behind = p.sent(), p.handed
			f.askedOn, f.askedAt = p.link.connects, time.Now()
		}
	}
	return again(ErrUnanswered)
}

// reachAnswers makes the other side ready to hear answers from.
func (p *Publisher) reachAnswers() (err error) {
	f := &p.flush
	if f.answers == nil {
		if f.id == [16]byte{} {
			_, _ = rand.Read(f.id[:])
		}
		uri := f.proxy.SubscriberURI(endpoint.Host(p.uri))
		f.answers, err = NewSubscriber(uri, Heartbeat(p.options.heartbeat))
		if err == nil {
			err = f.answers.subscribeReserved(control.FlushKey(f.id))
		}
		if err != nil {
			f.close()
			return fmt.Errorf("%w: its subscriber side is said to be at %q: %w", ErrUnconfirmed, uri, err)
		}
	}
	err = f.answers.TryReady()
	switch {
	case err == nil && f.answers.greeting().Mark() != f.proxy.Mark:
		return fmt.Errorf("%w: at %s there is another proxy's subscriber side", ErrUnconfirmed, f.answers.uri)
	case err == nil:
		f.tried = time.Time{}
		return nil
	case f.tried.IsZero() || time.Since(f.looked) > askPause:
		f.tried = time.Now() // somebody begins to ask
	case time.Since(f.tried) > reachTime:
		// Not %w: it would say that it is worth asking again.
		return fmt.Errorf("%w: its subscriber side cannot be reached: %v", ErrUnconfirmed, err)
	}
	f.looked = time.Now()
	return again(ErrUnanswered)
}

// subscribeReserved is for the one key that is no event's.
func (s *Subscriber) subscribeReserved(k []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	return s.socket.Subscribe(k)
}

// expectFlush says which answer counts from now on. Numbers cannot be guessed: whoever
// subscribes to everything sees the key.
func (s *Subscriber) expectFlush(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = number
}

// heardFlush is the number of the last answer that counted.
func (s *Subscriber) heardFlush() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.rescue() // what fails here fails in TryReady
	return s.flushed
}

func (s *Subscriber) greeting() control.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proxy.identity
}
