// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// How an event is published: checked, put behind its key, and sent without waiting.
// Comes from the caller, goes to package socket; waiting is in connect.go.

package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// Publish sends one event, or queues it while there is no connection. It waits while
// the queue is full, as long as ctx allows; then it returns the context's error
// together with [ErrQueueFull]. Without a queue, and with [Bind] while nobody has
// subscribed, it returns [ErrNotConnected]: at once, with Bind with the context's.
func (p *Publisher) Publish(ctx context.Context, event Event) error {
	_, err := p.PublishMany(ctx, []Event{event})
	return err
}

// PublishMany sends events in order, as [Publisher.Publish] does, in as few
// crossings as it can. It returns how many were accepted; err is about the next one.
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

// TryPublish is PublishMany without waiting: [ErrQueueFull] comes at once.
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
	sent, err = p.accept(p.batch)
	clear(p.batch) // keeps no pointer into the caller's memory
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
	if _, err := p.accept([]socket.Event{{Key: frames[0], Frames: frames[1:]}}); err != nil {
		return p.failure("send frames to", err)
	}
	return nil
}

func (p *Publisher) check(event Event) error {
	err := key.CheckName(event.Name, event.Topic)
	switch {
	case err != nil:
	case event.size() > p.options.maxEventBytes:
		err = p.tooLarge(event.size())
	case len(event.Frames) == 1 && !event.Unchecked && !p.options.unchecked:
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

// accept sends what it can of a batch and queues the rest, under the lock.
func (p *Publisher) accept(batch []socket.Event) (accepted int, err error) {
	if p.closed {
		return 0, ErrClosed
	}
	if !p.through() || p.queue.len() > 0 {
		p.look()
	}
	if p.through() && p.queue.len() == 0 {
		if accepted, err = p.send(batch); err != nil && !errors.Is(err, socket.ErrNoRoom) {
			return accepted, err
		}
	}
	for accepted < len(batch) && p.enqueue(batch[accepted]) {
		accepted++
	}
	if accepted < len(batch) {
		return accepted, p.block()
	}
	if p.queue.len() > 0 {
		housekeeping.hurry() // it sends them
	}
	return accepted, nil
}

// send sends what it can of a batch. With Bind a subscriber without room must not
// stop the others, so there the event is dropped for it.
func (p *Publisher) send(batch []socket.Event) (sent int, err error) {
	for err == nil && sent < len(batch) {
		var n int
		n, err = p.sendWithin(batch[sent:])
		sent += n
		if errors.Is(err, socket.ErrNoRoom) && p.options.bind {
			p.stats.Dropped++
			if err = p.socket.SendLossy(batch[sent]); err == nil {
				p.handed++
				sent++
			}
		}
	}
	p.count(batch[:sent])
	return sent, err
}

// sendWithin sends what it can without letting more bytes wait in the socket than the
// queue may hold, but for a last event.
func (p *Publisher) sendWithin(batch []socket.Event) (sent int, err error) {
	for sent < len(batch) {
		if p.socket.Waiting.Bytes() >= p.options.maxBytes {
			return sent, socket.ErrNoRoom
		}
		n, err := p.socket.Send(batch[sent:p.within(batch, sent)])
		p.handed += uint64(n)
		if sent += n; err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// within is the end of the events from one on that may be sent together.
func (p *Publisher) within(batch []socket.Event, from int) (end int) {
	var bytes int64
	for end = from; end < len(batch) && bytes < p.options.maxBytes; end++ {
		bytes += batch[end].Size()
	}
	return end
}

// count takes accepted events into account.
func (p *Publisher) count(events []socket.Event) {
	var bytes int64
	for i := range events {
		bytes += events[i].Size()
	}
	p.stats.Events += uint64(len(events))
	p.stats.Bytes += uint64(bytes)
}

// enqueue makes room for an event by the queue's policy, and tells whether it could.
func (p *Publisher) enqueue(e socket.Event) bool {
	if p.queue.maxEvents == 0 {
		return false
	}
	if !p.queue.fits(e) {
		switch p.options.overflow {
		case OverflowBlock:
			return false
		case OverflowDropNewest:
			p.dropped()
			return true
		}
		for !p.queue.fits(e) {
			p.queue.pop(1)
			p.dropped()
		}
	}
	p.queue.push(e)
	p.count([]socket.Event{e})
	return true
}

// dropped counts an event that the policy took, and says so once until the queue has
// been empty.
func (p *Publisher) dropped() {
	if p.stats.Dropped++; !p.full {
		p.full = true
		p.link.note(NoticeSlow, "the queue is full, events are dropped; to")
	}
}
