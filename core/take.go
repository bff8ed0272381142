// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Batch is received events in one block of memory outside Go's heap. Bytes is for
// whoever knows the block's layout; Release frees it.
type Batch struct {
	block *socket.Block
	slow  uint64
}

// Bytes is the whole block. Whoever frees it otherwise does not call Release.
func (b *Batch) Bytes() []byte { return b.block.Bytes() }

// Slow is how often the subscriber has begun to drop events for want of room, for a
// binding that logs it.
func (b *Batch) Slow() uint64 { return b.slow }

// Release frees the block.
func (b *Batch) Release() { b.block.Release() }

// TakeBatch takes up to limit events that are there, without waiting; nil if there
// are none. What is no event for this subscriber is skipped and counted.
func (s *Subscriber) TakeBatch(limit int) (*Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	block, err := s.take(limit)
	if err != nil || block == nil {
		return nil, err
	}
	return &Batch{block: block, slow: s.stats.Slow}, nil
}

// take takes from the ring, and else from the socket.
func (s *Subscriber) take(limit int) (block *socket.Block, err error) {
	switch {
	case s.closed:
		err = ErrClosed
	case limit < 1:
		err = fmt.Errorf("%w: at most %d events", ErrInvalid, limit)
	case s.ring.events > 0:
		block, err = s.ring.pop(limit)
		// More may be in the ring or in the socket: the next take finds out.
		s.socket.Ready.Set()
		s.slow = s.slow && s.ring.events > 0
	default:
		block, err = s.drain(limit)
	}
	if err != nil {
		return nil, s.failure("get from", err)
	}
	if block != nil {
		bytes, _ := block.Sizes(0, block.Len())
		s.stats.Events += uint64(block.Len())
		s.stats.Bytes += uint64(bytes)
	}
	return block, nil
}

// drain takes from the socket until it has an event for this subscriber or nothing
// is left; then it returns nil.
func (s *Subscriber) drain(limit int) (*socket.Block, error) {
	for {
		taken, err := s.socket.Take(limit)
		s.stats.Dropped += uint64(taken.Unkeyed)
		s.drained = s.drained || !taken.More
		s.taken += uint64(taken.Unkeyed)
		if err != nil || taken.Block == nil {
			return nil, err
		}
		s.taken += uint64(taken.Block.Len())
		if taken.Block.Sorted() < taken.Block.Len() {
			s.sort(taken.Block)
		}
		switch n := taken.Block.Len(); {
		case n > limit: // a caller in C had taken it
			s.ring.hold(taken.Block)
			return s.ring.pop(limit)
		case n > 0:
			return taken.Block, nil
		}
		taken.Block.Release()
	}
}

// sort goes on with a block where C has stopped. It removes what is no event for this
// subscriber, and what is meant for the subscriber itself; it splits the keys and judges
// the payloads of the rest.
func (s *Subscriber) sort(block *socket.Block) {
	sorted := block.Sorted()
	block.Keep(func(i int) bool {
		if i < sorted {
			return true
		}
		k := block.Key(i)
		if control.IsReserved(k) {
			s.hear(block, i)
			return false
		}
		filter := s.filters.Find(k)
		if filter != nil {
			filter.Value.came++
		}
		switch {
		case filter == nil || key.Check(k) != nil:
			s.stats.Skipped++
			return false
		case block.Oversize(i):
			s.stats.Dropped++
			return false
		}
		format := codec.Other
		if block.Frames(i) == 1 {
			format = codec.FormatOf(block.Frame(i, 0))
		}
		block.Split(i, filter.NameSize, int(format))
		return true
	})
}

// rescueTime bounds how long one rescue keeps the lock from everybody else.
const rescueTime = 50 * time.Millisecond

// rescue brings what waits in the socket into the ring.
func (s *Subscriber) rescue() error {
	end := time.Now().Add(rescueTime)
	for time.Now().Before(end) {
		block, err := s.drain(socket.MaxTakeEvents)
		if err != nil || block == nil {
			if s.ring.events > 0 {
				s.socket.Ready.Set()
			}
			return err
		}
		if dropped := s.ring.push(block); dropped > 0 {
			s.stats.Dropped += uint64(dropped)
			if !s.slow {
				s.slow = true
				s.stats.Slow++
				s.socket.TellSlow(s.stats.Slow)
				s.link.note(NoticeSlow, "too slow, events are dropped; from")
			}
		}
	}
	s.socket.Ready.Set()
	return nil
}

// Get waits for the next event, as long as ctx allows.
func (s *Subscriber) Get(ctx context.Context) (Event, error) {
	events, err := s.GetMany(ctx, 1)
	if err != nil {
		return Event{}, err
	}
	return events[0], nil
}

// GetMany waits for an event, as long as ctx allows, and then takes up to limit of
// those that are there: at least one, and at most 1,024 or about 1 MiB at a time.
func (s *Subscriber) GetMany(ctx context.Context, limit int) ([]Event, error) {
	var events []Event
	var failed error
	err := s.socket.Ready.Wait(ctx, s.FD, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		block, err := s.take(limit)
		if failed = err; block != nil {
			events = copyEvents(block)
			block.Release()
		}
		return block != nil || err != nil
	})
	if err != nil {
		return nil, s.failure("get from", err)
	}
	return events, failed
}

// copyEvents brings a block's events into Go's heap: one piece for all payloads, one for
// what points to them, and one for each run of the same name or topic.
func copyEvents(block *socket.Block) []Event {
	size, count := 0, 0
	for i := range block.Len() {
		count += block.Frames(i)
		for j := range block.Frames(i) {
			size += len(block.Frame(i, j))
		}
	}
	memory := make([]byte, 0, size)
	frames := make([][]byte, 0, count)
	events := make([]Event, block.Len())
	var name, topic string
	for i := range events {
		first := len(frames)
		for j := range block.Frames(i) {
			start := len(memory)
			memory = append(memory, block.Frame(i, j)...)
			frames = append(frames, memory[start:len(memory):len(memory)])
		}
		name, topic = stringOf(block.Name(i), name), stringOf(block.Topic(i), topic)
		events[i] = Event{Name: name, Topic: topic, Frames: frames[first:len(frames):len(frames)]}
	}
	return events
}

// stringOf returns bytes as a string: the last one, where it is the same.
func stringOf(bytes []byte, last string) string {
	if string(bytes) == last {
		return last
	}
	return string(bytes)
}

// eventsPerRound is how many events a range takes at a time.
const eventsPerRound = 256

// Events ranges over the events as they come, until ctx is over or the subscriber
// is closed, which end it without an error, or until something fails. Events that
// a range has taken and that its body did not reach are gone.
func (s *Subscriber) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			events, err := s.GetMany(ctx, eventsPerRound)
			if err != nil {
				if ctx.Err() == nil && !errors.Is(err, ErrClosed) {
					yield(Event{}, err)
				}
				return
			}
			for _, event := range events {
				if !yield(event, nil) {
					return
				}
			}
		}
	}
}
