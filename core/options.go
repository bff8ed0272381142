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
	DefaultMaxBytes      = 64 << 20
	DefaultMaxEventBytes = 64 << 20
	DefaultHeartbeat     = time.Second
	DefaultHold          = 500 * time.Millisecond
	DefaultMaxKeys       = 10_000
	// As many as libzmq forgets within half a second, at worst, when their subscriber
	// leaves: until then the proxy does nothing else.
	DefaultMaxSubscriptions = 25_000
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

// MaxEvents bounds a queue, in events: a publisher's of events that cannot be sent
// yet (0: it has none, and publish fails at once while there is no proxy; as many more
// may be on their way in the socket), a subscriber's, at least 1, of events that nobody
// takes. Default [DefaultMaxEvents].
type MaxEvents int

// MaxBytes bounds a queue, in bytes: a publisher's of keys and payloads, a
// subscriber's of memory. A proxy's is the memory that all its subscribers together
// may let wait; beyond, it cuts off those that do not take what waits for them. At
// least 1; default [DefaultMaxBytes].
type MaxBytes int64

// Overflow is what a full queue does.
type Overflow int

// A publisher's default is to block, a subscriber's to drop the oldest: it cannot
// block, as the network does not wait. What is dropped is counted. The numbers are
// JUICEBUS_OVERFLOW_… of juicebus.h.
const (
	OverflowBlock      Overflow = 0 // publish waits for room
	OverflowDropOldest Overflow = 1 // the event that has waited longest goes
	OverflowDropNewest Overflow = 2 // the event that has come goes
)

// Heartbeat is how often a connection is asked for a sign of life; after three
// without one it is dead, and a new one is made. Up to 30 minutes; 0: never, as with
// [Bind]. Default [DefaultHeartbeat].
type Heartbeat time.Duration

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

// MaxSubscriptions bounds what one subscriber may subscribe to at a proxy, and, times
// 64, the bytes of that; one that goes beyond is cut off. Each filter costs two, as its
// losses are counted. At least 1; default [DefaultMaxSubscriptions].
type MaxSubscriptions int

// queueOptions are what a publisher and a subscriber have in common.
type queueOptions struct {
	maxEvents     int
	maxBytes      int64
	maxEventBytes int64
	overflow      Overflow
	heartbeat     time.Duration
}

var defaultQueue = queueOptions{
	maxEvents: DefaultMaxEvents, maxBytes: DefaultMaxBytes, maxEventBytes: DefaultMaxEventBytes,
	heartbeat: DefaultHeartbeat,
}

type publisherOptions struct {
	queueOptions
	bind, unchecked bool
}

type subscriberOptions struct{ queueOptions }

type proxyOptions struct {
	maxBytes         int64
	maxEventBytes    int64
	hold             time.Duration
	maxKeys          int
	maxSubscriptions int
}

func (o MaxEvents) setPublisher(p *publisherOptions)       { p.maxEvents = int(o) }
func (o MaxEvents) setSubscriber(s *subscriberOptions)     { s.maxEvents = int(o) }
func (o MaxBytes) setPublisher(p *publisherOptions)        { p.maxBytes = int64(o) }
func (o MaxBytes) setSubscriber(s *subscriberOptions)      { s.maxBytes = int64(o) }
func (o MaxBytes) setProxy(p *proxyOptions)                { p.maxBytes = int64(o) }
func (o MaxEventBytes) setPublisher(p *publisherOptions)   { p.maxEventBytes = int64(o) }
func (o MaxEventBytes) setSubscriber(s *subscriberOptions) { s.maxEventBytes = int64(o) }
func (o MaxEventBytes) setProxy(p *proxyOptions)           { p.maxEventBytes = int64(o) }
func (o Overflow) setPublisher(p *publisherOptions)        { p.overflow = o }
func (o Overflow) setSubscriber(s *subscriberOptions)      { s.overflow = o }
func (o Heartbeat) setPublisher(p *publisherOptions)       { p.heartbeat = time.Duration(o) }
func (o Heartbeat) setSubscriber(s *subscriberOptions)     { s.heartbeat = time.Duration(o) }
func (Bind) setPublisher(p *publisherOptions)              { p.bind = true }
func (Unchecked) setPublisher(p *publisherOptions)         { p.unchecked = true }
func (o Hold) setProxy(p *proxyOptions)                    { p.hold = time.Duration(o) }
func (o MaxKeys) setProxy(p *proxyOptions)                 { p.maxKeys = int(o) }
func (o MaxSubscriptions) setProxy(p *proxyOptions)        { p.maxSubscriptions = int(o) }

// maxHeartbeat: libzmq tells the peer a time to live of three heartbeats in 16 bits
// of tenths of a second.
const maxHeartbeat = 30 * time.Minute

// check refuses what a queue cannot be; libzmq counts in 32 bits.
func (o *queueOptions) check(minEvents int, first Overflow) error {
	switch {
	case o.maxEvents < minEvents || o.maxEvents > math.MaxInt32:
		return fmt.Errorf("%w: max events is %d, expected %d to %d", ErrInvalid, o.maxEvents, minEvents, math.MaxInt32)
	case o.overflow < first || o.overflow > OverflowDropNewest:
		return fmt.Errorf("%w: overflow is %d, expected %d to %d", ErrInvalid, o.overflow, first, OverflowDropNewest)
	case o.heartbeat < 0 || o.heartbeat > maxHeartbeat:
		return fmt.Errorf("%w: heartbeat is %v, expected 0 to %v", ErrInvalid, o.heartbeat, maxHeartbeat)
	}
	return checkBytes(o.maxBytes, o.maxEventBytes)
}

func checkBytes(maxBytes, maxEventBytes int64) error {
	switch {
	case maxBytes < 1:
		return fmt.Errorf("%w: max bytes is %d, expected at least 1", ErrInvalid, maxBytes)
	case maxEventBytes < 1:
		return fmt.Errorf("%w: max event bytes is %d, expected at least 1", ErrInvalid, maxEventBytes)
	}
	return nil
}

func (o *publisherOptions) check() error { return o.queueOptions.check(0, OverflowBlock) }

func (o *subscriberOptions) check() error { return o.queueOptions.check(1, OverflowDropOldest) }

func (o *proxyOptions) check() error {
	switch {
	case o.hold < 0:
		return fmt.Errorf("%w: hold is %v, expected 0 or more", ErrInvalid, o.hold)
	case o.maxKeys < 1:
		return fmt.Errorf("%w: max keys is %d, expected at least 1", ErrInvalid, o.maxKeys)
	case o.maxSubscriptions < 1:
		return fmt.Errorf("%w: max subscriptions is %d, expected at least 1", ErrInvalid, o.maxSubscriptions)
	}
	return checkBytes(o.maxBytes, o.maxEventBytes)
}
