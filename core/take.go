// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Batch is received events in one block of memory outside Go's heap. Bytes is for
// whoever knows the block's layout; Release frees it.
type Batch struct{ block *socket.Block }

// Bytes is the whole block. Whoever frees it otherwise does not call Release.
func (b *Batch) Bytes() []byte { return b.block.Bytes() }

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
	return &Batch{block: block}, nil
}

// take drains the socket until it has an event for this subscriber or nothing is
// left.
func (s *Subscriber) take(limit int) (*socket.Block, error) {
	if limit < 1 {
		return nil, s.failure("get from", fmt.Errorf("%w: at most %d events", ErrInvalid, limit))
	}
	for {
		if s.closed {
			return nil, s.failure("get from", ErrClosed)
		}
		block, bytes, oversize, err := s.socket.Take(limit, s.options.maxEventBytes)
		s.stats.Dropped += uint64(oversize)
		if err != nil {
			return nil, s.failure("get from", err)
		}
		if block == nil {
			return nil, nil
		}
		if s.keepWanted(block, &bytes); block.Len() > 0 {
			s.stats.Events += uint64(block.Len())
			s.stats.Bytes += uint64(bytes)
			return block, nil
		}
		block.Release()
	}
}

// keepWanted splits the keys and judges the payloads of a block, and removes what
// nobody asked for.
func (s *Subscriber) keepWanted(block *socket.Block, bytes *int) {
	block.Keep(func(i int) bool {
		k := block.Key(i)
		nameSize, wanted := s.filters.Name(k)
		if !wanted || key.Check(k) != nil {
			s.stats.Skipped++
			*bytes -= len(k)
			for j := range block.Frames(i) {
				*bytes -= len(block.Frame(i, j))
			}
			return false
		}
		format := codec.Other
		if block.Frames(i) == 1 {
			format = codec.FormatOf(block.Frame(i, 0))
		}
		block.Split(i, nameSize, int(format))
		return true
	})
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

// copyEvents brings a block's events into Go's heap: one piece for all payloads.
func copyEvents(block *socket.Block) []Event {
	size := 0
	for i := range block.Len() {
		for j := range block.Frames(i) {
			size += len(block.Frame(i, j))
		}
	}
	memory := make([]byte, 0, size)
	events := make([]Event, block.Len())
	for i := range events {
		frames := make([][]byte, block.Frames(i))
		for j := range frames {
			start := len(memory)
			memory = append(memory, block.Frame(i, j)...)
			frames[j] = memory[start:len(memory):len(memory)]
		}
		events[i] = Event{Name: block.Name(i), Topic: block.Topic(i), Frames: frames}
	}
	return events
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
