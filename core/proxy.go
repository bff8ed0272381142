// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Proxy forwards what publishers send to whoever subscribed to it. Safe for
// concurrent use.
type Proxy struct {
	pubURI, subURI string
	options        proxyOptions
	opened         time.Time
	identity       control.Identity
	forwarder      *socket.Forwarder
	ended          chan struct{} // closed when Run has ended
	checkpoints    checkpoints   // Run's

	mu      sync.Mutex // guards all below
	started bool
	closed  bool
	mark    *socket.Ready // readable while keys wait; for good once it has ended
	stats   ProxyStats
	keys    keyTable
}

// ProxyStats are a proxy's counts since it was opened.
type ProxyStats struct {
	Events  uint64 // forwarded
	Bytes   uint64 // their keys and payloads
	Refused uint64 // messages over MaxEventBytes, or on a reserved key
	Keys    int    // keys whose counts are kept
	CutOff  uint64 // peers that were disconnected for breaking a limit or the protocol
}

// NewProxy listens at pubURI for publishers and at subURI for subscribers:
// "tcp://127.0.0.1:5122", port 0 for any free port, * for every interface, or
// "ipc://" and a path. It forwards nothing before [Proxy.Run].
func NewProxy(pubURI, subURI string, options ...ProxyOption) (*Proxy, error) {
	p := &Proxy{
		opened: time.Now(),
		options: proxyOptions{
			maxBytes: DefaultMaxBytes, maxEventBytes: DefaultMaxEventBytes,
			hold: DefaultHold, maxKeys: DefaultMaxKeys, maxSubscriptions: DefaultMaxSubscriptions,
		},
		identity: control.NewIdentity(),
		ended:    make(chan struct{}),
	}
	for _, option := range options {
		option.setProxy(&p.options)
	}
	err := errors.Join(Poisoned(), endpoint.Check(pubURI, true), endpoint.Check(subURI, true), p.options.check())
	if err == nil {
		err = p.open(pubURI, subURI)
	}
	if err != nil {
		return nil, fmt.Errorf("juicebus: open proxy: %w", err)
	}
	return p, nil
}

func (p *Proxy) open(pubURI, subURI string) (err error) {
	if p.mark, err = socket.NewMark(); err != nil {
		return err
	}
	p.forwarder, err = socket.OpenForwarder(pubURI, subURI, socket.ForwarderOptions{
		MaxEventBytes: p.options.maxEventBytes, MaxBytes: p.options.maxBytes,
		Filters:  p.options.maxSubscriptions,
		Welcome:  control.Welcome(p.identity),
		Announce: func(pubURI, subURI string) []byte { return announcement(p.identity.Mark(), pubURI, subURI).Bytes() },
	})
	if err != nil {
		p.mark.Finish(-1)
		return err
	}
	p.checkpoints.init(p.identity, p.forwarder)
	p.keys.limit = p.options.maxKeys
	p.pubURI, p.subURI = p.forwarder.Addresses()
	return nil
}

// PubURI is where publishers connect, with the real port.
func (p *Proxy) PubURI() string { return p.pubURI }

// SubURI is where subscribers connect, with the real port.
func (p *Proxy) SubURI() string { return p.subURI }

// Run forwards until ctx is over, which ends it with nil, or the proxy is closed,
// which ends it with [ErrClosed]. It holds a thread meanwhile. A proxy runs once.
func (p *Proxy) Run(ctx context.Context) (err error) {
	if err := p.start(); err != nil {
		return p.failure("run", err)
	}
	defer close(p.ended)
	defer p.end()
	defer Recover(&err)
	stop := context.AfterFunc(ctx, p.wake)
	defer stop()
	for ctx.Err() == nil {
		batch, err := p.forwarder.Forward(p.nextWait())
		p.answer(batch)
		if p.note(batch) {
			err = ErrClosed
		}
		if err != nil {
			return p.failure("run", err)
		}
	}
	return nil
}

// overfullWait is between two looks whether those that let too much wait are gone.
const overfullWait = 10 * time.Millisecond

// nextWait is how long the next Forward may wait, and whether it holds.
func (p *Proxy) nextWait() (timeout time.Duration, hold bool) {
	now := time.Now()
	timeout = -1
	if left := p.options.hold - now.Sub(p.opened); left > 0 {
		timeout, hold = left, true
	}
	if p.forwarder.Overfull() {
		timeout, hold = overfullWait, true
	}
	if wait, any := p.checkpoints.wait(now); any && (timeout < 0 || wait < timeout) {
		timeout = wait
	}
	return timeout, hold
}

func (p *Proxy) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return ErrClosed
	case p.started:
		return fmt.Errorf("%w: it has been run before", ErrInvalid)
	}
	p.started = true
	return nil
}

// note counts what a batch did, and tells whether the proxy has been closed.
func (p *Proxy) note(batch socket.Batch) (closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Events += batch.Events
	p.stats.Bytes += batch.Bytes
	p.stats.Refused += batch.Refused
	if len(batch.Tallies) > 0 {
		p.keys.add(batch.Tallies, time.Now())
		p.mark.Set()
	}
	return p.closed
}

func (p *Proxy) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forwarder.Wake()
}

// end makes the fd readable for good: nothing will be forwarded any more.
func (p *Proxy) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mark.Finish(-1)
}

// Stats returns the counts since it was opened.
func (p *Proxy) Stats() (ProxyStats, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ProxyStats{}, p.failure("ask stats of", ErrClosed)
	}
	stats := p.stats
	stats.Keys = p.keys.len()
	stats.CutOff = p.forwarder.CutOff()
	return stats, nil
}

// CutOff tells of peers that were disconnected, Count of them for the same Reason, the
// last one from Address, which is empty where that has none.
type CutOff = socket.CutOff

// CutOffNews has an element when CutOffs may have something; for one receiver.
func (p *Proxy) CutOffNews() <-chan struct{} { return p.forwarder.CutOffNews() }

// CutOffs returns what has been cut off since the last call, for a log. It does not
// block.
func (p *Proxy) CutOffs() []CutOff { return p.forwarder.CutOffs() }

// Keys returns the keys that have been forwarded since the last call, with their
// counts; at first, since the proxy was opened. It does not block.
func (p *Proxy) Keys() ([]KeyCount, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, p.failure("ask keys of", ErrClosed)
	}
	p.mark.Clear()
	return p.keys.fresh(), nil
}

// FD returns a file descriptor that is readable while Keys has something, and for
// good once Run has ended. It is the caller's to close.
func (p *Proxy) FD() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, os.ErrClosed
	}
	return p.mark.Dup()
}

// Close ends Run and frees the addresses. It does not wait for slow subscribers.
// A second Close does nothing.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	started := p.started
	p.forwarder.Wake()
	p.mu.Unlock()
	if started {
		<-p.ended
	}
	p.end()
	p.forwarder.Close()
	return nil
}

func (p *Proxy) failure(what string, err error) error {
	return fmt.Errorf("juicebus: %s proxy at %s and %s: %w", what, p.pubURI, p.subURI, err)
}
