// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"unsafe"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// keySizeMax is take.c's bound on the key that it keeps of an event over the limit.
const keySizeMax = 4096

// pairs makes each pair's address another one: libzmq frees one some time after its
// socket is closed.
var pairs atomic.Int64

// pair is a publisher's and a subscriber's end of one pipe inside the process, so that
// what is sent is there at once.
func pair(t testing.TB) (*Publisher, *Subscriber) {
	uri := fmt.Sprint("inproc://pair-", pairs.Add(1))
	ends := make([]base, 2)
	for i, newEnd := range []endMaker{newPublisherEnd, newSubscriberEnd(0)} {
		var err error
		ends[i], err = open(zmq.PAIR, "", 0, newEnd, func(*zmq.Socket) error { return nil })
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, ends[i].abandon(nil)) })
	}
	require.NoError(t, ends[0].zmq.Bind(uri))
	require.NoError(t, ends[1].zmq.Connect(uri))
	return newPublisher(ends[0]), newSubscriber(ends[1])
}

// source reads a fuzzer's bytes as numbers and frames; behind their end come zeros.
type source []byte

func (s *source) next() int {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return int(b)
}

// frame is of the size that the next byte says, mostly a small one.
func (s *source) frame() []byte {
	size := s.next()
	if size >= 200 {
		size = (size - 199) * 317
	}
	frame := make([]byte, size)
	copy(frame, *s)
	*s = (*s)[min(size, len(*s)):]
	return frame
}

func (s *source) events() (events []Event) {
	for len(*s) > 0 && len(events) < 50 {
		count := s.next() % 40
		if count == 39 {
			count = 300 // more than take.c notes on the stack
		}
		event := Event{Key: append(s.frame(), '.')}
		for range count {
			event.Frames = append(event.Frames, s.frame())
		}
		events = append(events, event)
	}
	return events
}

func size(e Event) int {
	total := len(e.Key)
	for _, frame := range e.Frames {
		total += len(frame)
	}
	return total
}

// FuzzFrames: whatever frames are sent, the blocks that a drain returns hold exactly
// them, under every limit, also when copied.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{3, 3, 1, 3, 'A', '.', 'b', 4, 0xa1, 0x61, 'a', 1})
	f.Add([]byte{255, 0, 0, 1, 'A', 1, 2, 'B', '.', 0, 39, 250, 255, 255})
	f.Add([]byte{1, 2, 1, 200, 'A', 1, 1, 'x', 1, 255, 2, 255, 255})
	// Two keys with two dots and no topic: the second one's copy begins a block.
	f.Add(slices.Concat([]byte{255, 4, 1, 2, 'A', '.', 1, 'x', 1, 16}, []byte("BBBBBBBBBBBBBBB."), []byte{3, 'y', 'y', 'y'}))
	p, s := pair(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		in := source(data)
		maxEvents := 1 + in.next()
		maxBytes := []int{1, 16, 1000, 100_000, math.MaxInt64}[in.next()%5]
		s.c.event_bytes_max = _Ctype_size_t(maxBytes)
		events := in.events()
		sent, err := p.Send(events)
		require.NoError(t, err)
		require.Equal(t, len(events), sent)
		unkeyed := 0
		for more := true; more; {
			taken, err := s.Take(maxEvents)
			require.NoError(t, err)
			unkeyed += taken.Unkeyed
			more = taken.More
			if taken.Block == nil {
				continue
			}
			events = compare(t, taken.Block, events, maxBytes)
			taken.Block.Release()
		}
		for ; len(events) > 0 && isUnkeyed(events[0], maxBytes); unkeyed-- {
			events = events[1:]
		}
		if len(events) > 0 {
			t.Fatalf("%d events are missing", len(events))
		}
	})
}

func isUnkeyed(e Event, maxBytes int) bool {
	return size(e) > maxBytes && len(e.Key) > maxBytes && len(e.Key) > keySizeMax
}

// compare checks a block against what was sent, and returns what is still to come.
func compare(t *testing.T, block *Block, events []Event, maxBytes int) []Event {
	var whole []int // what may be split and copied
	for i := range block.Len() {
		for len(events) > 0 && isUnkeyed(events[0], maxBytes) {
			events = events[1:]
		}
		if len(events) == 0 {
			t.Fatal("more events than were sent")
		}
		e := events[0]
		events = events[1:]
		if !bytes.Equal(block.Key(i), e.Key) || block.Oversize(i) != (size(e) > maxBytes) {
			t.Fatalf("key %q, oversize %v of %q with %d bytes", block.Key(i), block.Oversize(i), e.Key, size(e))
		}
		if block.Oversize(i) {
			continue
		}
		whole = append(whole, i)
		if block.Frames(i) != len(e.Frames) {
			t.Fatalf("%d frames", block.Frames(i))
		}
		for j, frame := range e.Frames {
			if !bytes.Equal(block.Frame(i, j), frame) {
				t.Fatalf("frame %d of %q differs", j, e.Key)
			}
		}
	}
	block.Keep(func(i int) bool { return len(whole) > 0 && i == whole[0] && pop(&whole) })
	splitAndCopy(t, block)
	return events
}

// sizes are the bytes of an event, and the memory that it costs.
func sizes(block *Block, i int) [2]int {
	bytes, cost := block.Sizes(i, 1)
	return [2]int{int(bytes), int(cost)}
}

func pop(list *[]int) bool {
	*list = (*list)[1:]
	return true
}

// splitAndCopy splits each key at its first dot, and compares a copy of all but the
// first event with them.
func splitAndCopy(t *testing.T, block *Block) {
	for i := range block.Len() {
		key := bytes.Clone(block.Key(i))
		expected := len(key)
		for j := range block.Frames(i) {
			expected += len(block.Frame(i, j))
		}
		name, topic, _ := bytes.Cut(key, []byte("."))
		topic = bytes.TrimSuffix(topic, []byte("."))
		if len(key) == len(name)+2 {
			expected-- // a second dot without a topic is no part of the event
		}
		block.Split(i, len(name), 1)
		if !bytes.Equal(block.Name(i), name) || !bytes.Equal(block.Topic(i), topic) || sizes(block, i)[0] != expected {
			t.Fatalf("%q became %q and %q, %d bytes", key, block.Name(i), block.Topic(i), sizes(block, i)[0])
		}
		checkStrings(t, block, i)
	}
	if block.Len() < 2 {
		return
	}
	rest := block.Copy(1, block.Len()-1)
	defer rest.Release()
	for i := range rest.Len() {
		if !bytes.Equal(rest.Name(i), block.Name(i+1)) || !bytes.Equal(rest.Topic(i), block.Topic(i+1)) || rest.Frames(i) != block.Frames(i+1) ||
			sizes(rest, i) != sizes(block, i+1) {
			t.Fatalf("the copy of %q differs", block.Name(i+1))
		}
		checkStrings(t, rest, i)
		for j := range rest.Frames(i) {
			if !bytes.Equal(rest.Frame(i, j), block.Frame(i+1, j)) {
				t.Fatalf("frame %d of the copy of %q differs", j, block.Name(i+1))
			}
		}
	}
}

// checkStrings reads name and topic as C does, to their NUL.
func checkStrings(t *testing.T, block *Block, i int) {
	r := &block.records()[i]
	name := unsafe.Slice((*byte)(unsafe.Pointer(r.name)), int(r.name_size)+1)
	topic := unsafe.Slice((*byte)(unsafe.Pointer(r.topic)), int(r.topic_size)+1)
	if name[len(name)-1] != 0 || topic[len(topic)-1] != 0 {
		t.Fatalf("no NUL behind name %q or topic %q", name, topic)
	}
}
