// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include <stdlib.h>
// #include "forward.h"
import "C"

import (
	"errors"
	"runtime"
	"time"
	"unsafe"

	zmq "github.com/pebbe/zmq4"
)

// Capacities of one batch's report. A key needs at most a quarter of keysBytes.
const (
	keysBytes  = 64 << 10
	tallyCount = 1024
)

// Tally is what one key had in one batch.
type Tally struct {
	Key           []byte // valid until the next Forward
	Events, Bytes uint64
}

// Forwarder is the proxy's pair of sockets: XSUB towards the publishers, XPUB
// towards the subscribers. Forward is called by one goroutine; Wake and Close by
// any, Close after that goroutine has ended.
type Forwarder struct {
	publishers, subscribers *zmq.Socket
	wake                    *Ready
	c                       C.struct_jb_forwarder
	done                    *C.struct_jb_forwarded
	tallies                 []Tally
}

// OpenForwarder listens at both addresses.
func OpenForwarder(pubURI, subURI string, maxEvents int, maxEventBytes int64) (*Forwarder, error) {
	f := &Forwarder{}
	var err error
	f.publishers, err = create(zmq.XSUB, pubURI, func(s *zmq.Socket) error {
		return errors.Join(s.SetRcvhwm(maxEvents), s.SetSndhwm(0), s.SetMaxmsgsize(maxEventBytes))
	})
	if err != nil {
		return nil, err
	}
	f.subscribers, err = create(zmq.XPUB, subURI, func(s *zmq.Socket) error {
		return errors.Join(s.SetSndhwm(maxEvents), s.SetRcvhwm(0), s.SetXpubNodrop(true),
			s.SetMaxmsgsize(maxSubscriptionBytes))
	})
	if err != nil {
		return nil, closing(f.publishers, err)
	}
	if err := f.start(pubURI, subURI, maxEventBytes); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Forwarder) start(pubURI, subURI string, maxEventBytes int64) error {
	wake, err := NewMark()
	if err != nil {
		return err
	}
	f.wake = wake
	// Everything, at once and for ever: a legacy publisher waits up to 5 s for a
	// subscription, and never reads another one.
	if _, err = f.publishers.SendBytes([]byte{1}, 0); err != nil {
		return err
	}
	if err := listen(f.publishers, pubURI); err != nil {
		return err
	}
	if err := listen(f.subscribers, subURI); err != nil {
		return err
	}
	publishersFD, err1 := f.publishers.GetFd()
	subscribersFD, err2 := f.subscribers.GetFd()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	f.c = C.struct_jb_forwarder{
		publishers: pointer(f.publishers), subscribers: pointer(f.subscribers),
		publishers_fd: C.int(publishersFD), subscribers_fd: C.int(subscribersFD),
		wake_fd: wake.c.epoll_fd, event_bytes_max: C.size_t(maxEventBytes),
	}
	f.done = (*C.struct_jb_forwarded)(C.calloc(1, C.size_t(unsafe.Sizeof(C.struct_jb_forwarded{}))))
	f.done.keys = (*C.char)(C.malloc(keysBytes))
	f.done.keys_capacity = keysBytes
	f.done.tallies = (*C.struct_jb_tally)(C.calloc(tallyCount, C.size_t(unsafe.Sizeof(C.struct_jb_tally{}))))
	f.done.tally_capacity = tallyCount
	return nil
}

// Addresses is where it listens, with real port numbers.
func (f *Forwarder) Addresses() (pubURI, subURI string, err error) {
	pubURI, err1 := f.publishers.GetLastEndpoint()
	subURI, err2 := f.subscribers.GetLastEndpoint()
	return pubURI, subURI, errors.Join(err1, err2)
}

// Batch is what one Forward did.
type Batch struct {
	Tallies                         []Tally // valid until the next Forward
	Events, Bytes, Dropped, Refused uint64
}

// Forward waits up to timeout (negative: for ever) for something to do and
// forwards what waits, in one crossing. With hold it leaves the publishers'
// events where they are, and only serves connections and subscriptions.
func (f *Forwarder) Forward(timeout time.Duration, hold bool) (Batch, error) {
	d := f.done
	d.keys_size, d.tally_count = 0, 0
	d.events, d.bytes, d.dropped, d.refused = 0, 0, 0, 0
	ms := C.int(-1)
	if timeout >= 0 {
		ms = C.int((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	var holding C.int
	if hold {
		holding = 1
	}
	rc := C.jb_forward(&f.c, ms, holding, d)
	runtime.KeepAlive(f.publishers)
	runtime.KeepAlive(f.subscribers)
	f.tallies = f.tallies[:0]
	keys := unsafe.Slice((*byte)(unsafe.Pointer(d.keys)), keysBytes)
	for _, t := range unsafe.Slice(d.tallies, int(d.tally_count)) {
		f.tallies = append(f.tallies, Tally{
			Key:    keys[t.key_offset : t.key_offset+t.key_size],
			Events: uint64(t.events), Bytes: uint64(t.bytes),
		})
	}
	return Batch{
		Tallies: f.tallies, Events: uint64(d.events), Bytes: uint64(d.bytes),
		Dropped: uint64(d.dropped), Refused: uint64(d.refused),
	}, failure(rc)
}

// Wake ends the wait of a Forward, now and ever after. Called once, or under a
// lock of the caller's.
func (f *Forwarder) Wake() { f.wake.Set() }

// closeTimeout bounds how long libzmq may take to free an address.
const closeTimeout = time.Second

// Close closes both sockets and returns when their addresses are free.
func (f *Forwarder) Close() {
	for _, s := range []*zmq.Socket{f.publishers, f.subscribers} {
		monitor, err := newMonitor(s, zmq.EVENT_MONITOR_STOPPED)
		_ = s.Close()
		if err == nil && monitor.AwaitStopped(closeTimeout) {
			monitor.Close()
		}
	}
	if f.wake != nil {
		f.wake.Finish(-1)
	}
	if f.done != nil {
		C.free(unsafe.Pointer(f.done.keys))
		C.free(unsafe.Pointer(f.done.tallies))
		C.free(unsafe.Pointer(f.done))
	}
}
