// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Publisher sends events to a proxy. Safe for concurrent use.
//
// An event goes through publish.go to the socket, or waits in the queue while there
// is no way through, which connect.go knows; next: the proxy.
type Publisher struct {
	uri     string
	options publisherOptions
	notices noticeChannel

	mu         locker // guards all below
	socket     *socket.Publisher
	link       link
	heard      uint64 // subscriptions and their ends
	arrival    unfinished
	subscribed int   // subscriptions that the proxy, or with Bind subscribers, hold
	queue      queue // what waits for a way through
	blocked    bool  // an attempt found no way through; whoever opens one sets the mark
	full       bool  // the queue has dropped events since it was last empty
	closed     bool
	closing    *handover // once it is closed
	handed     uint64    // events that have gone into the socket
	stats      PublisherStats
	flush      flushing
	keys       []byte         // reused by sendChunk
	batch      []socket.Event // reused by sendChunk
}

// PublisherStats are a publisher's counts since it was opened.
type PublisherStats struct {
	Events         uint64 // accepted: sent to the network, or queued until there is one
	Bytes          uint64 // their keys and payloads
	Dropped        uint64 // by the queue's policy; with Bind: that at least one slow subscriber lost
	PendingEvents  uint64 // in the queue
	PendingBytes   uint64 // their keys and payloads
	Unconfirmed    uint64 // sent, and not known to have reached the proxy: what it can take along
	Reconnects     uint64 // connections made after the first
	Connected      bool   // a proxy, with Bind a subscriber, is there
	ConnectedSince time.Time
}

// NewPublisher opens a publisher for a proxy's publisher port, such as
// "tcp://127.0.0.1:5122" or "ipc:///run/juice/pub". It does not block, and the
// proxy need not be there yet.
func NewPublisher(uri string, options ...PublisherOption) (*Publisher, error) {
	p := &Publisher{uri: uri, options: publisherOptions{queueOptions: defaultQueue}}
	for _, option := range options {
		option.setPublisher(&p.options)
	}
	err := errors.Join(Poisoned(), endpoint.Check(uri, p.options.bind), p.options.check())
	if err == nil {
		p.socket, err = socket.OpenPublisher(uri, socket.PublisherOptions{
			Bind: p.options.bind, MaxEvents: max(p.options.maxEvents, 1),
			MaxEventBytes: p.options.maxEventBytes, MaxWaitingBytes: p.options.maxBytes,
			Unchecked: p.options.unchecked, Heartbeat: p.options.heartbeat,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("juicebus: open publisher: %w", err)
	}
	p.mu = locker{end: p.socket, enter: p.takeIn, direct: p.direct}
	p.queue = queue{maxEvents: p.options.maxEvents, maxBytes: p.options.maxBytes}
	reattach := p.socket.Reattach
	if p.options.bind {
		p.queue.maxEvents, reattach = 0, nil
	}
	p.link.init(p.socket.Monitor, uri, p.options.heartbeat, reattach)
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

// End is what a binding in C publishes to past Go, as a pointer; 0 once it is closed.
func (p *Publisher) End() uintptr { return p.socket.Pointer() }

// takeIn takes in what callers in C have sent past Go.
func (p *Publisher) takeIn() {
	if p.closed {
		return
	}
	events, bytes := p.socket.Passed()
	p.stats.Events += events
	p.stats.Bytes += bytes
	p.handed += events
}

// direct tells whether they may: what is queued goes first.
func (p *Publisher) direct() bool {
	return !p.closed && !p.options.bind && p.through() && p.queue.len() == 0
}

// Stats returns the counts since it was opened.
func (p *Publisher) Stats() (PublisherStats, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return PublisherStats{}, p.failure("ask stats of", ErrClosed)
	}
	p.look()
	stats := p.stats
	stats.PendingEvents, stats.PendingBytes = uint64(p.queue.len()), uint64(p.queue.bytes)
	stats.Unconfirmed = p.unconfirmed()
	stats.Reconnects = p.link.reconnects
	if stats.Connected = p.through(); stats.Connected {
		stats.ConnectedSince = p.link.since
	}
	return stats, nil
}

// Close closes the publisher and waits, as long as ctx allows, until what is
// queued has been handed to the network; with a context that is over at once it
// does not wait. What has not been handed over when it returns goes on in the
// background for up to a second, without a deadline as long as the process lives;
// the error says how many events those are. A second Close returns nil.
func (p *Publisher) Close(ctx context.Context) error {
	deadline, bounded := ctx.Deadline()
	timeout := time.Duration(-1)
	switch {
	case ctx.Err() != nil:
		timeout = 0
	case bounded:
		timeout = max(time.Until(deadline), 0)
	}
	left, done := p.closeWithin(timeout, ctx.Done())
	if done && left == 0 {
		return nil
	}
	return p.failure("close", fmt.Errorf("%d events have not been handed over: %w", left,
		cmp.Or(context.Cause(ctx), context.DeadlineExceeded)))
}

// CloseWithin is Close with a timeout, negative for ever. It returns how many events
// have not been handed over, at most, and whether that is final. If it is not, another
// CloseWithin goes on waiting, and the second in the background begins anew.
func (p *Publisher) CloseWithin(timeout time.Duration) (left uint64, done bool) {
	return p.closeWithin(timeout, nil)
}

func (p *Publisher) closeWithin(timeout time.Duration, stop <-chan struct{}) (left uint64, done bool) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return p.closing.goOn(timeout, stop)
	}
	p.closed = true
	p.closing = newHandover(p, timeout)
	p.socket.Finish()
	p.link.close()
	p.flush.close()
	p.mu.Unlock()
	housekeeping.remove(p)
	handovers.begin(p.closing)
	return p.closing.goOn(timeout, stop)
}

func (p *Publisher) failure(what string, err error) error {
	return fmt.Errorf("juicebus: %s %s: %w", what, p.uri, err)
}
