// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

// #include "../core/internal/socket/msgpack.h"
// #include "exports.h"
import "C"

import (
	"sync"
	"time"
	"unsafe"

	"github.com/juicebus/juicebus/core"
)

//export gojb_publisher_open
func gojb_publisher_open(uri *C.cchar_t, o *C.juicebus_publisher_options, handle *C.uint64_t) (result C.int) {
	defer guard(&result)
	options := []core.PublisherOption{
		core.MaxEvents(o.max_events), core.MaxBytes(o.max_bytes), core.MaxEventBytes(o.max_event_bytes),
		core.Overflow(o.overflow), heartbeat(o.heartbeat_ms),
	}
	if o.bind != 0 {
		options = append(options, core.Bind{})
	}
	if o.check_payload == 0 {
		options = append(options, core.Unchecked{})
	}
	publisher, err := core.NewPublisher(C.GoString((*C.char)(uri)), options...)
	if err != nil {
		return status(err)
	}
	number, err := open(publisherKind, publisher)
	if err != nil {
		publisher.CloseWithin(0)
		return status(err)
	}
	*handle = number
	return C.JUICEBUS_OK
}

func heartbeat(ms C.int32_t) core.Heartbeat {
	return core.Heartbeat(time.Duration(ms) * time.Millisecond)
}

// scratch is what a publish needs for its time: core's view of the events. It
// points into the caller's memory and is emptied before it is given back.
type scratch struct {
	events []core.Event
	frames [][]byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (s *scratch) fill(events []C.juicebus_event, msgpack bool) {
	for i := range events {
		e := &events[i]
		start := len(s.frames)
		switch {
		case e.frame_count == 0 && msgpack && e.unchecked == 0:
			s.frames = append(s.frames, cborOf(memory(e.payload, e.payload_size)))
		case e.frame_count == 0:
			s.frames = append(s.frames, memory(e.payload, e.payload_size))
		default:
			for _, frame := range unsafe.Slice(e.frames, int(e.frame_count)) {
				s.frames = append(s.frames, memory(frame.data, frame.size))
			}
		}
		s.events = append(s.events, core.Event{
			Name: text((*C.cchar_t)(e.name)), Topic: text((*C.cchar_t)(e.topic)),
			Frames: s.frames[start:len(s.frames):len(s.frames)], Unchecked: e.unchecked != 0,
		})
	}
}

// cborOf is a payload of MessagePack as CBOR. What cannot be converted, or is something
// else, stays, and is judged as it is.
func cborOf(payload []byte) []byte {
	from, size := unsafe.Pointer(unsafe.SliceData(payload)), C.size_t(len(payload))
	if C.jb_begins_msgpack(from, size) == 0 {
		return payload
	}
	cbor := make([]byte, C.jb_cbor_of_msgpack(from, size, nil, 0))
	if len(cbor) == 0 {
		return payload
	}
	C.jb_cbor_of_msgpack(from, size, unsafe.Pointer(&cbor[0]), C.size_t(len(cbor)))
	return cbor
}

func (s *scratch) release() {
	clear(s.events)
	clear(s.frames)
	s.events, s.frames = s.events[:0], s.frames[:0]
	scratches.Put(s)
}

//export gojb_publisher_publish
func gojb_publisher_publish(handle C.uint64_t, events *C.cevent_t, count C.size_t, msgpack C.int, sent *C.size_t, willWait C.int) (result C.int) {
	defer guard(&result)
	publisher, err := get[*core.Publisher](uint64(handle), publisherKind)
	if err != nil {
		return status(err)
	}
	s := scratches.Get().(*scratch)
	defer s.release()
	s.fill(unsafe.Slice((*C.juicebus_event)(events), int(count)), msgpack != 0)
	n, err := publisher.TryPublish(s.events)
	*sent = C.size_t(n)
	return outcome(willWait, err)
}

// outcome lets a caller who will wait repeat a try that is worth it.
func outcome(willWait C.int, err error) C.int {
	if core.Again(err) && willWait != 0 {
		return again
	}
	return status(err)
}

//export gojb_publisher_send_frames
func gojb_publisher_send_frames(handle C.uint64_t, frames *C.cframe_t, count C.size_t, willWait C.int) (result C.int) {
	defer guard(&result)
	publisher, err := get[*core.Publisher](uint64(handle), publisherKind)
	if err != nil {
		return status(err)
	}
	list := make([][]byte, 0, int(count))
	for _, frame := range unsafe.Slice((*C.juicebus_frame)(frames), int(count)) {
		list = append(list, memory(frame.data, frame.size))
	}
	return outcome(willWait, publisher.TrySendFrames(list))
}

//export gojb_publisher_wait_connected
func gojb_publisher_wait_connected(handle C.uint64_t, willWait C.int) (result C.int) {
	defer guard(&result)
	publisher, err := get[*core.Publisher](uint64(handle), publisherKind)
	if err != nil {
		return status(err)
	}
	return outcome(willWait, publisher.TryConnected())
}

//export gojb_publisher_events
func gojb_publisher_events(handle C.uint64_t, events *C.uint64_t) (result C.int) {
	defer guard(&result)
	publisher, err := get[*core.Publisher](uint64(handle), publisherKind)
	if err != nil {
		return status(err)
	}
	stats, err := publisher.Stats()
	*events = C.uint64_t(stats.Events)
	return status(err)
}

//export gojb_publisher_flush
func gojb_publisher_flush(handle, events C.uint64_t, willWait C.int) (result C.int) {
	defer guard(&result)
	publisher, err := get[*core.Publisher](uint64(handle), publisherKind)
	if err != nil {
		return status(err)
	}
	return outcome(willWait, publisher.TryFlush(uint64(events)))
}

//export gojb_publisher_fd
func gojb_publisher_fd(handle C.uint64_t, fd *C.int) (result C.int) {
	defer guard(&result)
	publisher, err := get[*core.Publisher](uint64(handle), publisherKind)
	if err != nil {
		return status(err)
	}
	return duplicate(publisher.FD, fd)
}

//export gojb_publisher_stats
func gojb_publisher_stats(handle C.uint64_t, stats *C.struct_juicebus_publisher_stats) (result C.int) {
	defer guard(&result)
	publisher, err := get[*core.Publisher](uint64(handle), publisherKind)
	if err != nil {
		return status(err)
	}
	s, err := publisher.Stats()
	if err != nil {
		return status(err)
	}
	*stats = C.struct_juicebus_publisher_stats{
		events: C.uint64_t(s.Events), bytes: C.uint64_t(s.Bytes), dropped: C.uint64_t(s.Dropped),
		reconnects: C.uint64_t(s.Reconnects), connected: truth(s.Connected),
		pending_events: C.uint64_t(s.PendingEvents), pending_bytes: C.uint64_t(s.PendingBytes),
		unconfirmed: C.uint64_t(s.Unconfirmed), connected_since_unix_ns: unixNS(s.ConnectedSince),
	}
	return C.JUICEBUS_OK
}

func truth(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

// unixNS is a time in C; 0 if there is none.
func unixNS(t time.Time) C.int64_t {
	if t.IsZero() {
		return 0
	}
	return C.int64_t(t.UnixNano())
}

//export gojb_publisher_close
func gojb_publisher_close(handle C.uint64_t, timeoutMS C.int64_t, goOn C.int, left *C.uint64_t) (result C.int) {
	defer guard(&result)
	*left = 0
	publisher, first, err := closeHandle[*core.Publisher](uint64(handle), publisherKind)
	if err != nil || !first && (goOn == 0 || publisher == nil) { // nil: its slot is another one's by now
		return status(err)
	}
	events, done := publisher.CloseWithin(duration(timeoutMS))
	*left = C.uint64_t(events)
	return complete(done && events == 0)
}

//export gojb_wait_closed
func gojb_wait_closed(timeoutMS C.int64_t, givenUp *C.uint64_t) (result C.int) {
	defer guard(&result)
	if err := core.Poisoned(); err != nil {
		return status(err)
	}
	events, done := core.WaitClosed(duration(timeoutMS))
	*givenUp = C.uint64_t(events)
	return complete(done)
}

func complete(done bool) C.int {
	if done {
		return C.JUICEBUS_OK
	}
	return C.JUICEBUS_TIMEOUT
}

// duration is the one place where C's time becomes Go's; -1 is for ever.
func duration(ms C.int64_t) time.Duration {
	if ms < 0 {
		return -1
	}
	return time.Duration(min(int64(ms), int64(1<<62/time.Millisecond))) * time.Millisecond
}
