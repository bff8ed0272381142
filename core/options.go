// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"fmt"
	"math"
	"time"
)

// Defaults of the options.
const (
	DefaultMaxEvents     = 100_000
	DefaultMaxEventBytes = 64 << 20
	DefaultHold          = 500 * time.Millisecond
	DefaultMaxKeys       = 10_000
)

// An option is a value of one of the types below. Which of them a constructor
// takes is a matter of its type: what does not apply does not compile.
type (
	// PublisherOption changes a default of [NewPublisher].
	PublisherOption interface{ setPublisher(*publisherOptions) }
	// SubscriberOption changes a default of [NewSubscriber].
	SubscriberOption interface{ setSubscriber(*subscriberOptions) }
	// ProxyOption changes a default of [NewProxy].
	ProxyOption interface{ setProxy(*proxyOptions) }
)

// MaxEvents bounds a queue, in events: a publisher's towards the network, a
// subscriber's of events not yet taken, a proxy's of each of its peers. At least
// 1; default [DefaultMaxEvents].
type MaxEvents int

// MaxEventBytes bounds one event, key and payload, in bytes. A publisher refuses
// a larger one, a subscriber skips and counts it, a proxy refuses it from whoever
// sends it. At least 1; default [DefaultMaxEventBytes].
type MaxEventBytes int64

// Bind makes a publisher listen at its URI instead of connecting to a proxy.
// Subscribers connect to it directly; one that cannot keep up loses events.
type Bind struct{}

// Unchecked makes a publisher send payloads without looking at them.
type Unchecked struct{}

// Hold is for how long a new proxy keeps what publishers send before it forwards
// it, so that subscribers that come back a moment later than publishers miss
// nothing. Not negative; default [DefaultHold].
type Hold time.Duration

// MaxKeys bounds how many keys a proxy keeps counts of. When it has more, it
// forgets the one not seen for the longest time. At least 1; default
// [DefaultMaxKeys].
type MaxKeys int

type publisherOptions struct {
	maxEvents       int
	maxEventBytes   int64
	bind, unchecked bool
}

type subscriberOptions struct {
	maxEvents     int
	maxEventBytes int64
}

type proxyOptions struct {
	maxEvents     int
	maxEventBytes int64
	hold          time.Duration
	maxKeys       int
}

func (o MaxEvents) setPublisher(p *publisherOptions)       { p.maxEvents = int(o) }
func (o MaxEvents) setSubscriber(s *subscriberOptions)     { s.maxEvents = int(o) }
func (o MaxEvents) setProxy(p *proxyOptions)               { p.maxEvents = int(o) }
func (o MaxEventBytes) setPublisher(p *publisherOptions)   { p.maxEventBytes = int64(o) }
func (o MaxEventBytes) setSubscriber(s *subscriberOptions) { s.maxEventBytes = int64(o) }
func (o MaxEventBytes) setProxy(p *proxyOptions)           { p.maxEventBytes = int64(o) }
func (Bind) setPublisher(p *publisherOptions)              { p.bind = true }
func (Unchecked) setPublisher(p *publisherOptions)         { p.unchecked = true }
func (o Hold) setProxy(p *proxyOptions)                    { p.hold = time.Duration(o) }
func (o MaxKeys) setProxy(p *proxyOptions)                 { p.maxKeys = int(o) }

// checkLimits refuses what a queue cannot be; libzmq counts in 32 bits.
func checkLimits(maxEvents int, maxEventBytes int64) error {
	if maxEvents < 1 || maxEvents > math.MaxInt32 {
		return fmt.Errorf("%w: max events is %d, expected 1 to %d", ErrInvalid, maxEvents, math.MaxInt32)
	}
	if maxEventBytes < 1 {
		return fmt.Errorf("%w: max event bytes is %d, expected at least 1", ErrInvalid, maxEventBytes)
	}
	return nil
}

func (o *proxyOptions) check() error {
	if o.hold < 0 {
		return fmt.Errorf("%w: hold is %v, expected 0 or more", ErrInvalid, o.hold)
	}
	if o.maxKeys < 1 {
		return fmt.Errorf("%w: max keys is %d, expected at least 1", ErrInvalid, o.maxKeys)
	}
	return checkLimits(o.maxEvents, o.maxEventBytes)
}
