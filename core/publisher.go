// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Publisher sends events to a proxy. Safe for concurrent use.
//
// An event goes through publish.go to the socket, and waits in connect.go while
// there is no way through; next: the proxy.
type Publisher struct {
	uri     string
	options publisherOptions

	mu         sync.Mutex // guards all below
	socket     *socket.Publisher
	link       link
	subscribed int  // subscriptions that the proxy, or with Bind subscribers, hold
	blocked    bool // an attempt found no way through; whoever opens one sets the mark
	closed     bool
	stats      PublisherStats
	keys       []byte         // reused by attempt
	batch      []socket.Event // reused by attempt
}

// PublisherStats are a publisher's counts since it was opened.
type PublisherStats struct {
	Events     uint64 // queued towards the network
	Bytes      uint64 // their keys and payloads
	Dropped    uint64 // with Bind: events that at least one slow subscriber lost
	Reconnects uint64 // connections made after the first
	Connected  bool   // a proxy, with Bind a subscriber, is there
}

// NewPublisher opens a publisher for a proxy's publisher port, such as
// "tcp://127.0.0.1:5122" or "ipc:///run/juice/pub". It does not block, and the
// proxy need not be there yet.
func NewPublisher(uri string, options ...PublisherOption) (*Publisher, error) {
	p := &Publisher{uri: uri, options: publisherOptions{
		maxEvents: DefaultMaxEvents, maxEventBytes: DefaultMaxEventBytes,
	}}
	for _, option := range options {
		option.setPublisher(&p.options)
	}
	err := errors.Join(Poisoned(), endpoint.Check(uri, p.options.bind),
		checkLimits(p.options.maxEvents, p.options.maxEventBytes))
	if err == nil {
		p.socket, err = socket.OpenPublisher(uri, p.options.bind, p.options.maxEvents)
	}
	if err != nil {
		return nil, fmt.Errorf("juicebus: open publisher: %w", err)
	}
	p.link.init(p.socket.Monitor, uri)
	housekeeping.add(p)
	return p, nil
}

// Address is where a publisher with [Bind] listens, with its real port.
func (p *Publisher) Address() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", p.failure("ask address of", ErrClosed)
	}
	return p.socket.Address()
}

// Stats returns the counts since it was opened.
func (p *Publisher) Stats() (PublisherStats, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return PublisherStats{}, p.failure("ask stats of", ErrClosed)
	}
	p.look()
	return p.stats, nil
}

// look reads what has happened to the connection.
func (p *Publisher) look() {
	p.link.tend()
	if p.readSubscriptions() == nil && p.subscribed > 0 {
		p.unblock()
	}
	p.stats.Reconnects = p.link.reconnects
	p.stats.Connected = p.link.connected && p.subscribed > 0
}

// tend is housekeeping: an XPUB that nobody publishes with applies subscriptions
// only when it is asked (libzmq#2267), and its unread inbox grows.
func (p *Publisher) tend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.look()
	}
}

// Close closes the publisher and waits, as long as ctx allows, until what is
// queued has been handed to the network; with a context that is over at once it
// does not wait. What has not been handed over when it returns goes on in the
// background for up to a second, without a deadline as long as the process lives.
// A second Close returns nil.
func (p *Publisher) Close(ctx context.Context) error {
	deadline, bounded := ctx.Deadline()
	timeout := time.Duration(-1)
	switch {
	case ctx.Err() != nil:
		timeout = 0
	case bounded:
		timeout = max(time.Until(deadline), 0)
	}
	if p.closeWithin(timeout, ctx.Done()) {
		return nil
	}
	return p.failure("close", cmp.Or(context.Cause(ctx), context.DeadlineExceeded))
}

// CloseWithin is Close with a timeout, negative for ever. It returns whether
// everything has been handed over.
func (p *Publisher) CloseWithin(timeout time.Duration) bool {
	return p.closeWithin(timeout, nil)
}

func (p *Publisher) closeWithin(timeout time.Duration, stop <-chan struct{}) bool {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return true
	}
	p.closed = true
	linger := timeout
	if timeout >= 0 {
		linger = max(timeout, backgroundLinger)
	}
	// Registered before it closes, so that WaitClosed misses none.
	done := handovers.begin(func() *socket.Monitor { return p.socket.Close(linger) })
	p.link.close()
	p.mu.Unlock()
	housekeeping.remove(p)
	return done.await(timeout, stop)
}

func (p *Publisher) failure(what string, err error) error {
	return fmt.Errorf("juicebus: %s %s: %w", what, p.uri, err)
}
