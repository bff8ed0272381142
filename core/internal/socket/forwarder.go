// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include <stdint.h>
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
	heardCount = 4096
)

// Tally is what one key had in one batch.
type Tally struct {
	Key           []byte // valid until the next Forward
	Events, Bytes uint64
	Dropped       uint64 // of these, those that at least one subscriber had no room for
}

// HeardKind is what a peer said besides events.
type HeardKind int

// What peers say.
const (
	Unsubscribed HeardKind = C.jb_unsubscribed
	Subscribed   HeardKind = C.jb_subscribed
	FlushAsked   HeardKind = C.jb_flush
	Came         HeardKind = C.jb_came // an event; only while the Forwarder is suspicious
)

// Heard is something that a peer said. Key is the reserved key of it, with a flush's
// number behind it, or nil; Size is the filter's in any case.
type Heard struct {
	Kind HeardKind
	FD   int // of the peer's connection; -1 if that is over
	Size int
	Key  []byte // valid until the next Forward
}

// Forwarder is the proxy's pair of sockets: XSUB towards the publishers, XPUB
// towards the subscribers. Forward and what it tells of are for one goroutine; Wake
// and Close for any, Close after that goroutine has ended.
type Forwarder struct {
	publishers, subscribers *zmq.Socket
	pubURI, subURI          string
	wake                    *Ready
	c                       C.struct_jb_forwarder
	done                    *C.struct_jb_forwarded
	tallies                 []Tally
	heard                   []Heard
}

// ForwarderOptions are what a Forwarder needs to know.
type ForwarderOptions struct {
	MaxEvents     int // queued for each subscriber
	MaxEventBytes int64
	Heartbeat     time.Duration // towards publishers
	Welcome       []byte        // sent to each subscriber that connects
	// Announce is subscribed to at each publisher; it is told where both sides listen.
	Announce func(pubURI, subURI string) []byte
}

// heldEvents is how many events of one publisher may wait to be forwarded. The rest
// waits in the network, and nothing is lost by that.
const heldEvents = 1000

// keepalive makes the kernel look after subscribers that are silent by nature. A
// heartbeat would take one that is busy for a dead one, as its libzmq does not read
// while its queue is full; and a new connection would cost it what waits for it here.
const keepalive = 10 // seconds

// OpenForwarder listens at both addresses.
func OpenForwarder(pubURI, subURI string, o ForwarderOptions) (*Forwarder, error) {
	f := &Forwarder{}
	var err error
	f.publishers, err = create(zmq.XSUB, pubURI, func(s *zmq.Socket) error {
		return errors.Join(s.SetRcvhwm(min(o.MaxEvents, heldEvents)), s.SetSndhwm(0),
			s.SetMaxmsgsize(o.MaxEventBytes), setHeartbeat(s, o.Heartbeat))
	})
	if err != nil {
		return nil, err
	}
	f.subscribers, err = create(zmq.XPUB, subURI, func(s *zmq.Socket) error {
		return errors.Join(s.SetSndhwm(o.MaxEvents), s.SetRcvhwm(heldEvents), s.SetXpubNodrop(true),
			s.SetXpubVerboser(1), s.SetMaxmsgsize(maxSubscriptionBytes),
			s.SetXpubWelcomeMsg(string(o.Welcome)),
			s.SetTcpKeepalive(1), s.SetTcpKeepaliveIdle(keepalive), s.SetTcpKeepaliveIntvl(1), s.SetTcpKeepaliveCnt(3))
	})
	if err != nil {
		return nil, closing(f.publishers, err)
	}
	if err := f.start(pubURI, subURI, o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Forwarder) start(pubURI, subURI string, o ForwarderOptions) error {
	wake, err := NewMark()
	if err != nil {
		return err
	}
	f.wake = wake
	if err := listen(f.subscribers, subURI); err != nil {
		return err
	}
	if f.subURI, err = f.subscribers.GetLastEndpoint(); err != nil {
		return err
	}
	// Everything, at once and for ever: a legacy publisher waits up to 5 s for a
	// subscription, and never reads another one. The announcement is sent to every
	// publisher that connects, so it must be there before the first; a port that is
	// not known yet does not change what it says.
	if _, err = f.publishers.SendBytes([]byte{1}, 0); err != nil {
		return err
	}
	if _, err = f.publishers.SendBytes(append([]byte{1}, o.Announce(pubURI, f.subURI)...), 0); err != nil {
		return err
	}
	if err := listen(f.publishers, pubURI); err != nil {
		return err
	}
	if f.pubURI, err = f.publishers.GetLastEndpoint(); err != nil {
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
		wake_fd: wake.c.epoll_fd, event_bytes_max: C.size_t(o.MaxEventBytes),
		waiting: C.jb_waiting_new(),
	}
	f.done = (*C.struct_jb_forwarded)(C.calloc(1, C.size_t(unsafe.Sizeof(C.struct_jb_forwarded{}))))
	f.done.keys = (*C.char)(C.malloc(keysBytes))
	f.done.keys_capacity = keysBytes
	f.done.tallies = (*C.struct_jb_tally)(C.calloc(tallyCount, C.size_t(unsafe.Sizeof(C.struct_jb_tally{}))))
	f.done.tally_capacity = tallyCount
	f.done.heard = (*C.struct_jb_heard)(C.calloc(heardCount, C.size_t(unsafe.Sizeof(C.struct_jb_heard{}))))
	f.done.heard_capacity = heardCount
	return nil
}

// Addresses is where it listens, with real port numbers.
func (f *Forwarder) Addresses() (pubURI, subURI string) { return f.pubURI, f.subURI }

// Batch is what one Forward did, and what waits behind it.
type Batch struct {
	Tallies                         []Tally // valid until the next Forward
	Heard                           []Heard // the same
	Events, Bytes, Dropped, Refused uint64
	WaitingEvents, WaitingBytes     uint64 // large frames that subscribers have not read
}

// Forward waits up to timeout (negative: for ever) for something to do and
// forwards what waits, in one crossing. With hold it leaves the publishers'
// events where they are, and only serves connections and subscriptions.
func (f *Forwarder) Forward(timeout time.Duration, hold bool) (Batch, error) {
	d := f.done
	d.keys_size, d.tally_count, d.heard_count = 0, 0, 0
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
	f.tallies, f.heard = f.tallies[:0], f.heard[:0]
	keys := unsafe.Slice((*byte)(unsafe.Pointer(d.keys)), keysBytes)
	for _, t := range unsafe.Slice(d.tallies, int(d.tally_count)) {
		f.tallies = append(f.tallies, Tally{
			Key:    keys[t.key_offset : t.key_offset+t.key_size],
			Events: uint64(t.events), Bytes: uint64(t.bytes), Dropped: uint64(t.dropped),
		})
	}
	for _, h := range unsafe.Slice(d.heard, int(d.heard_count)) {
		heard := Heard{Kind: HeardKind(h.kind), FD: int(h.fd), Size: int(h.size)}
		if h.offset != C.UINT32_MAX && h.size > 0 {
			heard.Key = keys[h.offset : h.offset+h.size]
		}
		f.heard = append(f.heard, heard)
	}
	return Batch{
		Tallies: f.tallies, Heard: f.heard, Events: uint64(d.events), Bytes: uint64(d.bytes),
		Dropped: uint64(d.dropped), Refused: uint64(d.refused),
		WaitingEvents: uint64(d.waiting_events), WaitingBytes: uint64(d.waiting_bytes),
	}, failure(rc)
}

// Tell sends a message of the proxy's own to whoever subscribed to its key. It
// returns whether all of those had room for it. Neither is empty.
func (f *Forwarder) Tell(key, payload []byte) (all bool, err error) {
	rc := C.jb_tell(pointer(f.subscribers), unsafe.Pointer(&key[0]), C.size_t(len(key)),
		unsafe.Pointer(&payload[0]), C.size_t(len(payload)))
	runtime.KeepAlive(f.subscribers)
	return rc == 0, failure(rc)
}

// SetMaxEvents changes how many events are queued for each subscriber.
func (f *Forwarder) SetMaxEvents(n int) error { return f.subscribers.SetSndhwm(n) }

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
	C.jb_waiting_release(f.c.waiting)
	if f.done != nil {
		C.free(unsafe.Pointer(f.done.keys))
		C.free(unsafe.Pointer(f.done.tallies))
		C.free(unsafe.Pointer(f.done.heard))
		C.free(unsafe.Pointer(f.done))
	}
}
