// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Publisher sends events to a proxy. Safe for concurrent use.
//
// The events go from here to the socket; next: the proxy.
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

// Publish sends one event. It waits while there has been no connection yet and
// while the queue is full, as long as ctx allows; then it returns the context's
// error together with [ErrNotConnected] or [ErrQueueFull].
func (p *Publisher) Publish(ctx context.Context, event Event) error {
	_, err := p.PublishMany(ctx, []Event{event})
	return err
}

// PublishMany sends events in order, as [Publisher.Publish] does, in as few
// crossings as it can. It returns how many it sent; err is about the next one.
func (p *Publisher) PublishMany(ctx context.Context, events []Event) (sent int, err error) {
	err = p.wait(ctx, func() error {
		n, err := p.TryPublish(events[sent:])
		sent += n
		return err
	})
	return sent, err
}

// SendFrames sends a multipart message as it is: a key, then payload frames that
// are not looked at. For relays and for events with frames of their own. It waits
// as [Publisher.Publish] does.
func (p *Publisher) SendFrames(ctx context.Context, frames [][]byte) error {
	return p.wait(ctx, func() error { return p.TrySendFrames(frames) })
}

// maxChunk is how many events are checked, and sent under one lock, at a time.
const maxChunk = 256

// TryPublish is PublishMany without waiting: [ErrNotConnected] and [ErrQueueFull]
// come at once.
func (p *Publisher) TryPublish(events []Event) (sent int, err error) {
	for err == nil && sent < len(events) {
		chunk := events[sent:min(sent+maxChunk, len(events))]
		good := 0
		for err == nil && good < len(chunk) {
			if err = p.check(chunk[good]); err == nil {
				good++
			}
		}
		if good == 0 { // nothing to send: that nobody is there would hide what is wrong
			return sent, err
		}
		n, sendErr := p.sendChunk(chunk[:good])
		if sent += n; sendErr != nil {
			return sent, sendErr
		}
	}
	return sent, err
}

// sendChunk sends checked events in one crossing, under one lock.
func (p *Publisher) sendChunk(events []Event) (sent int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys, p.batch = p.keys[:0], p.batch[:0]
	for i := range events {
		start := len(p.keys)
		p.keys = key.Append(p.keys, events[i].Name, events[i].Topic)
		p.batch = append(p.batch, socket.Event{Key: p.keys[start:], Frames: events[i].Frames})
	}
	sent, err = p.send(p.batch)
	clear(p.batch) // keeps no pointer into the caller's memory
	for i := range events[:sent] {
		p.stats.Bytes += uint64(events[i].size())
	}
	if err != nil {
		what := "publish to"
		if sent < len(events) {
			what = "publish " + events[sent].title() + " to"
		}
		return sent, p.failure(what, err)
	}
	return sent, nil
}

// TrySendFrames is SendFrames without waiting.
func (p *Publisher) TrySendFrames(frames [][]byte) error {
	if err := p.checkFrames(frames); err != nil {
		return p.failure("send frames to", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.send([]socket.Event{{Key: frames[0], Frames: frames[1:]}}); err != nil {
		return p.failure("send frames to", err)
	}
	for _, frame := range frames {
		p.stats.Bytes += uint64(len(frame))
	}
	return nil
}

func (p *Publisher) check(event Event) error {
	err := key.CheckName(event.Name, event.Topic)
	switch {
	case err != nil:
	case event.size() > p.options.maxEventBytes:
		err = p.tooLarge(event.size())
	case len(event.Frames) == 1 && !p.options.unchecked:
		err = codec.Check(event.Frames[0])
	}
	if err != nil {
		return p.failure("publish "+event.title()+" to", err)
	}
	return nil
}

func (p *Publisher) checkFrames(frames [][]byte) error {
	if len(frames) == 0 {
		return fmt.Errorf("%w: no frames, expected a key and payload frames", ErrInvalid)
	}
	if err := key.Check(frames[0]); err != nil {
		return err
	}
	var size int64
	for _, frame := range frames {
		size += int64(len(frame))
	}
	if size > p.options.maxEventBytes {
		return p.tooLarge(size)
	}
	return nil
}

func (p *Publisher) tooLarge(size int64) error {
	return fmt.Errorf("%w: the event has %d bytes, at most %d are allowed", ErrTooLarge, size, p.options.maxEventBytes)
}

// send sends what it can of a batch, under the lock. With Bind a subscriber
// without room must not stop the others, so there the event is dropped for it.
func (p *Publisher) send(batch []socket.Event) (sent int, err error) {
	if err := p.connection(); err != nil {
		return 0, err
	}
	for err == nil && sent < len(batch) {
		var n int
		n, err = p.socket.Send(batch[sent:])
		sent += n
		if errors.Is(err, socket.ErrNoRoom) && p.options.bind {
			p.stats.Dropped++
			if err = p.socket.SendLossy(batch[sent]); err == nil {
				sent++
			}
		}
	}
	p.stats.Events += uint64(sent)
	if errors.Is(err, socket.ErrNoRoom) {
		p.block()
		return sent, ErrQueueFull
	}
	p.unblock()
	return sent, err
}

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
