// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import "github.com/juicebus/juicebus/core/internal/socket"

// queue holds copies of the events of a publisher that cannot be sent yet, oldest
// first.
type queue struct {
	maxEvents int
	maxBytes  int64

	events []socket.Event // the queued ones begin at first
	first  int
	bytes  int64 // their keys and payloads
}

func (q *queue) len() int { return len(q.events) - q.first }

// fits tells whether there is room for an event. A single one always fits, however
// small maxBytes is.
func (q *queue) fits(e socket.Event) bool {
	return q.len() < q.maxEvents && (q.bytes+e.Size() <= q.maxBytes || q.len() == 0)
}

func (q *queue) push(e socket.Event) {
	memory := make([]byte, 0, e.Size())
	keep := func(b []byte) []byte {
		start := len(memory)
		memory = append(memory, b...)
		return memory[start:len(memory):len(memory)]
	}
	kept := socket.Event{Key: keep(e.Key), Frames: make([][]byte, len(e.Frames))}
	for i, frame := range e.Frames {
		kept.Frames[i] = keep(frame)
	}
	q.events = append(q.events, kept)
	q.bytes += e.Size()
}

// head is up to limit of the oldest events; they stay in the queue.
func (q *queue) head(limit int) []socket.Event {
	return q.events[q.first:min(q.first+limit, len(q.events))]
}

// pop lets go of the oldest events.
func (q *queue) pop(n int) {
	for i := range n {
		q.bytes -= q.events[q.first+i].Size()
		q.events[q.first+i] = socket.Event{}
	}
	// What has been left behind is given back when it is the larger half.
	if q.first += n; q.first*2 >= len(q.events) {
		rest := copy(q.events, q.events[q.first:])
		clear(q.events[rest:])
		q.events, q.first = q.events[:rest], 0
		if rest == 0 {
			q.events = nil
		}
	}
}
