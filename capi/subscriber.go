// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

// #include "exports.h"
import "C"

import (
	"errors"
	"os"
	"unsafe"

	"github.com/juicebus/juicebus/core"
)

//export gojb_subscriber_open
func gojb_subscriber_open(uri *C.cchar_t, o *C.juicebus_subscriber_options, handle *C.uint64_t) (result C.int) {
	defer guard(&result)
	subscriber, err := core.NewSubscriber(C.GoString((*C.char)(uri)),
		core.MaxEvents(o.max_events), core.MaxBytes(o.max_bytes), core.MaxEventBytes(o.max_event_bytes),
		core.Overflow(o.overflow), heartbeat(o.heartbeat_ms))
	if err != nil {
		return status(err)
	}
	number, err := open(subscriberKind, subscriber)
	if err != nil {
		return status(errors.Join(err, subscriber.Close()))
	}
	*handle = number
	return C.JUICEBUS_OK
}

//export gojb_subscriber_subscribe
func gojb_subscriber_subscribe(handle C.uint64_t, name, topic *C.cchar_t) (result C.int) {
	defer guard(&result)
	subscriber, err := get[*core.Subscriber](uint64(handle), subscriberKind)
	if err != nil {
		return status(err)
	}
	// Copies: the filters are kept.
	return status(subscriber.Subscribe(C.GoString((*C.char)(name)), C.GoString((*C.char)(topic))))
}

//export gojb_subscriber_unsubscribe
func gojb_subscriber_unsubscribe(handle C.uint64_t, name, topic *C.cchar_t) (result C.int) {
	defer guard(&result)
	subscriber, err := get[*core.Subscriber](uint64(handle), subscriberKind)
	if err != nil {
		return status(err)
	}
	return status(subscriber.Unsubscribe(text(name), text(topic)))
}

//export gojb_subscriber_ready
func gojb_subscriber_ready(handle C.uint64_t, willWait C.int) (result C.int) {
	defer guard(&result)
	subscriber, err := get[*core.Subscriber](uint64(handle), subscriberKind)
	if err != nil {
		return status(err)
	}
	return outcome(willWait, subscriber.TryReady())
}

//export gojb_subscriber_take
func gojb_subscriber_take(handle C.uint64_t, limit C.size_t, block **C.struct_jb_block, slow *C.uint64_t, willWait C.int) (result C.int) {
	defer guard(&result)
	subscriber, err := get[*core.Subscriber](uint64(handle), subscriberKind)
	if err != nil {
		return status(err)
	}
	batch, err := subscriber.TakeBatch(int(min(limit, 1<<30)))
	if err != nil {
		return status(err)
	}
	switch {
	case batch == nil && willWait != 0:
		return again
	case batch == nil:
		return C.JUICEBUS_TIMEOUT
	}
	// From here on the block is the caller's, who frees it in C.
	*slow = C.uint64_t(batch.Slow())
	*block = (*C.struct_jb_block)(unsafe.Pointer(unsafe.SliceData(batch.Bytes())))
	return C.JUICEBUS_OK
}

//export gojb_subscriber_fd
func gojb_subscriber_fd(handle C.uint64_t, fd *C.int) (result C.int) {
	defer guard(&result)
	subscriber, err := get[*core.Subscriber](uint64(handle), subscriberKind)
	if err != nil {
		return status(err)
	}
	return duplicate(subscriber.FD, fd)
}

// duplicate hands a file descriptor to the caller.
func duplicate(dup func() (int, error), fd *C.int) C.int {
	n, err := dup()
	if errors.Is(err, os.ErrClosed) {
		return C.JUICEBUS_CLOSED
	}
	if err != nil {
		return status(err)
	}
	*fd = C.int(n)
	return C.JUICEBUS_OK
}

//export gojb_subscriber_stats
func gojb_subscriber_stats(handle C.uint64_t, stats *C.struct_juicebus_subscriber_stats) (result C.int) {
	defer guard(&result)
	subscriber, err := get[*core.Subscriber](uint64(handle), subscriberKind)
	if err != nil {
		return status(err)
	}
	s, err := subscriber.Stats()
	if err != nil {
		return status(err)
	}
	*stats = C.struct_juicebus_subscriber_stats{
		events: C.uint64_t(s.Events), bytes: C.uint64_t(s.Bytes), dropped: C.uint64_t(s.Dropped),
		skipped: C.uint64_t(s.Skipped), lost: C.int64_t(s.Lost),
		reconnects: C.uint64_t(s.Reconnects), connected: truth(s.Connected),
		pending_events: C.uint64_t(s.PendingEvents), pending_bytes: C.uint64_t(s.PendingBytes),
		slow: C.uint64_t(s.Slow), connected_since_unix_ns: unixNS(s.ConnectedSince),
	}
	return C.JUICEBUS_OK
}

//export gojb_subscriber_close
func gojb_subscriber_close(handle C.uint64_t) (result C.int) {
	defer guard(&result)
	subscriber, first, err := closeHandle[*core.Subscriber](uint64(handle), subscriberKind)
	if err != nil || !first {
		return status(err)
	}
	return status(subscriber.Close())
}
