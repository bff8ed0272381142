// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Whether there is a way through to a proxy, and how to wait for one. publish.go
// tries; what it could not send waits here and is tried again.

package core

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// connection returns nil once somebody has asked for events.
func (p *Publisher) connection() error {
	if p.closed {
		return ErrClosed
	}
	if p.subscribed > 0 {
		return nil
	}
	if err := p.readSubscriptions(); err != nil {
		return err
	}
	if p.subscribed > 0 {
		return nil
	}
	p.block()
	return fmt.Errorf("%w: %s", ErrNotConnected, p.link.why(p.options.bind))
}

func (p *Publisher) readSubscriptions() error {
	net, err := p.socket.ReadSubscriptions()
	if p.options.bind {
		p.subscribed = max(p.subscribed, 0) + net
	} else if net > 0 {
		// A connecting XPUB keeps its subscriptions over a disconnect and goes on
		// queuing; so this says that there once was a proxy, not that there is one.
		p.subscribed = 1
	}
	return err
}

// block notes that an attempt is to be repeated; the ready fd is then readable
// when something has happened since.
func (p *Publisher) block() {
	p.blocked = true
	p.socket.Ready.Clear()
}

func (p *Publisher) unblock() {
	if p.blocked {
		p.blocked = false
		p.socket.Ready.Set()
	}
}

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

// Again tells whether a try failed for a reason that passes: it is worth trying
// again when the fd is readable.
func Again(err error) bool {
	return errors.Is(err, ErrNotConnected) || errors.Is(err, ErrQueueFull)
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
	err := p.connection()
	if err == nil {
		if p.look(); !p.stats.Connected {
			p.block()
			err = fmt.Errorf("%w: the connection is lost", ErrNotConnected)
		}
	}
	if err != nil {
		return p.failure("wait for", err)
	}
	return nil
}

// Flush waits until everything published so far has reached the proxy. In this
// version no proxy can tell: [ErrUnconfirmed], at once.
func (p *Publisher) Flush(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.failure("flush", ErrClosed)
	}
	return p.failure("flush", ErrUnconfirmed)
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

// EnterWait returns the fd itself to a caller that waits outside Go, until its
// LeaveWait; not ok: it is closed.
func (p *Publisher) EnterWait() (fd int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, false
	}
	return p.socket.Ready.EnterWait(), true
}

// LeaveWait ends what EnterWait began.
func (p *Publisher) LeaveWait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.socket.Ready.LeaveWait()
}
