// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Whether there is a way through to a proxy, and how to wait for one. publish.go
// tries; what it could not send waits in the queue, or outside, and is tried again.

package core

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// through tells whether an event that is sent now finds its way: somebody has asked
// for events, and the connection is there. A connecting XPUB keeps its subscriptions
// over a disconnect, so the first does not tell of the second.
func (p *Publisher) through() bool { return p.subscribed > 0 && p.link.connected }

// look reads what has happened to the connection, and sends what waited for it.
func (p *Publisher) look() {
	p.link.read()
	for {
		filter, subscribed, ok, err := p.socket.ReadSubscription()
		if err != nil || !ok {
			break
		}
		p.heard++
		p.hear(filter, subscribed)
	}
	p.flush.look(&p.link, p.handed)
	if p.sendQueued(); p.through() && p.queue.len() == 0 {
		p.unblock()
	}
}

// hear takes in what a proxy, or with Bind a subscriber, asks for. A proxy asks for
// everything, at once on each connection, and one that knows the control plane
// announces itself behind that.
func (p *Publisher) hear(filter []byte, subscribed bool) {
	switch {
	case p.options.bind && control.IsReserved(filter): // no event is asked for
	case p.options.bind && subscribed:
		p.subscribed++
	case p.options.bind:
		p.subscribed--
	case subscribed:
		p.subscribed = 1
		if announcement, ok := control.ReadAnnouncement(filter); ok {
			// What the monitor saw before this message is about older connections.
			p.link.read()
			p.flush.announced(announcement, p.link.connects)
		}
	}
}

// queuedAtOnce is how many queued events are sent in one crossing.
const queuedAtOnce = 256

// sendQueued sends what it can of the queue, in order.
func (p *Publisher) sendQueued() {
	for p.through() && p.queue.len() > 0 {
		sent, err := p.sendWithin(p.queue.head(queuedAtOnce))
		p.queue.pop(sent)
		if err != nil {
			return
		}
	}
	if p.queue.len() == 0 {
		p.full = false
	}
}

// block says why an event was not accepted, and that the attempt may be repeated.
func (p *Publisher) block() error {
	p.awaitChange()
	switch {
	case p.through():
		return again(fmt.Errorf("%w: the proxy does not keep up", ErrQueueFull))
	case p.options.bind:
		return again(fmt.Errorf("%w: %s", ErrNotConnected, p.link.why(true)))
	case p.queue.maxEvents == 0:
		return fmt.Errorf("%w: %s", ErrNotConnected, p.link.why(false))
	}
	return again(fmt.Errorf("%w: it is not connected: %s", ErrQueueFull, p.link.why(false)))
}

// awaitChange has the ready fd say when something has happened since.
func (p *Publisher) awaitChange() {
	p.blocked = true
	p.socket.Ready.Clear()
	if p.socket.ForgetRoom(); p.socket.Waiting.Bytes() >= p.enough() {
		_ = p.socket.AwaitRoom(p.enough()) // without a descriptor for it, housekeeping sees the room
	}
	housekeeping.hurry() // it sees room that libzmq does not tell of
}

// enough is how few bytes must wait in the socket until it is worth going on: not the
// first that leave, but early enough that the network does not have to wait.
func (p *Publisher) enough() int64 { return max(p.options.maxBytes/2, 1) }

func (p *Publisher) unblock() {
	if p.blocked {
		p.blocked = false
		p.socket.Ready.Set()
	}
}

// tend is housekeeping: an XPUB that nobody publishes with applies subscriptions
// only when it is asked (libzmq#2267), its unread inbox grows, and what is queued
// waits for somebody who sees the proxy come back.
func (p *Publisher) tend() (calm bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return true
	}
	p.tendLink()
	p.look()
	if !p.options.bind {
		p.arrival.watch(message{mu: &p.mu, link: &p.link, limit: maxAsked, taken: func() (uint64, bool) {
			return p.heard, !p.closed
		}})
	}
	return p.link.calm() && p.through() && p.queue.len() == 0 && !p.blocked
}

func (p *Publisher) watch(poller *socket.Poller) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.socket.Watch(poller)
		p.link.connection.Watch(poller)
	}
}

// tendLink is housekeeping of the connection.
func (p *Publisher) tendLink() {
	if p.link.tend() {
		p.subscribed = 0 // a new pipe, which nobody has subscribed to yet
	}
}

// maxAsked is what a proxy may send to a publisher without a subscription in it.
const maxAsked = 1 << 20

// wait repeats an attempt until it gets through, or fails, or ctx is over.
func (p *Publisher) wait(ctx context.Context, attempt func() error) error {
	var failed error
	err := p.socket.Ready.Wait(ctx, p.FD, func() bool {
		failed = attempt()
		return !Again(failed)
	})
	if err != nil && failed != nil {
		return fmt.Errorf("%w: %w", failed, err)
	}
	return errors.Join(err, failed)
}

// WaitConnected waits until a proxy is there and has asked for events, with Bind
// until there is a subscriber.
func (p *Publisher) WaitConnected(ctx context.Context) error {
	return p.wait(ctx, p.TryConnected)
}

// TryConnected is WaitConnected without waiting.
func (p *Publisher) TryConnected() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := ErrClosed
	if !p.closed {
		if p.look(); p.through() {
			return nil
		}
		p.awaitChange()
		err = again(fmt.Errorf("%w: %s", ErrNotConnected, p.link.why(p.options.bind)))
	}
	return p.failure("wait for", err)
}

// FD returns a file descriptor that becomes readable when it is worth repeating a
// try that failed for a reason that passes. It is the caller's to close.
func (p *Publisher) FD() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, os.ErrClosed
	}
	return p.socket.Ready.Dup()
}
