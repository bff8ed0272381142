// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "forward.h"
// #include "memory.h"
// #include "send.h"
import "C"

import (
	"errors"
	"runtime"
	"sync/atomic"
	"syscall"
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
}

// HeardKind is what a peer said besides events.
type HeardKind int

// What peers say.
const (
	Unsubscribed HeardKind = C.jb_unsubscribed
	Subscribed   HeardKind = C.jb_subscribed
	FlushAsked   HeardKind = C.jb_flush
	Came         HeardKind = C.jb_came // an event; a small one only while the Forwarder is suspicious
)

// Heard is something that a peer said: the filter that it subscribed to or
// unsubscribed from, or a flush's key with its number behind it.
type Heard struct {
	Kind HeardKind
	FD   int    // of the peer's connection; -1 if that is over
	Key  []byte // valid until the next Forward
}

// Forwarder is the proxy's pair of sockets: XSUB towards the publishers, XPUB
// towards the subscribers. Forward and what it tells of are for one goroutine; Wake
// and Close for any, Close after that goroutine has ended.
type Forwarder struct {
	publishers, subscribers *zmq.Socket
	pubURI, subURI          string
	wake                    *Ready
	waiting                 waiting        // for subscribers
	senders, takers         *Peers         // of the two sockets
	asleep                  *int32         // not zero while it waits
	pinner                  runtime.Pinner // of asleep, which C writes
	maxBytes                int64
	c                       C.struct_jb_forwarder
	done                    *C.struct_jb_forwarded
	tallies                 []Tally
	heard                   []Heard
}

// ForwarderOptions are what a Forwarder needs to know.
type ForwarderOptions struct {
	MaxEventBytes int64
	MaxBytes      int64  // that may wait for subscribers, all together
	Welcome       []byte // sent to each subscriber that connects
	Filters       int    // of one subscriber
	WholeProcess  bool   // the process is nothing but this proxy
	OnPanic       func(any)
	// Announce is subscribed to at each publisher; it is told where both sides listen.
	Announce func(pubURI, subURI string) []byte
}

// maxHandshakes is how many connections of one side may not have said yet who they
// are.
const maxHandshakes = 128

// unreadEvents is how many events of one publisher may wait to be forwarded, as all
// do while the proxy holds. The rest waits in the network, and nothing is lost by that.
// With 256, libzmq's thread stops and starts reading so often that the proxy forwards a
// tenth less; with 1,000, libzmq's default, no more than with 512, and large events
// would take twice the memory.
const unreadEvents = 512

// unreadSubscriptions is the same for subscribers. libzmq takes all that is there at
// once, and more as long as it comes: with more room, a flood of subscriptions from one
// peer would stop the events, and its memory grow, before the proxy is told of any.
const unreadSubscriptions = 16

// backlog is how many connections may wait to be accepted. Beyond it the kernel lets a
// good client wait for a second.
const backlog = 4096

// OpenForwarder listens at both addresses.
func OpenForwarder(pubURI, subURI string, o ForwarderOptions) (*Forwarder, error) {
	f := &Forwarder{}
	var err error
	if f.waiting, err = newWaiting(); err != nil {
		return nil, err
	}
	f.publishers, err = create(zmq.XSUB, pubURI, func(s *zmq.Socket) error {
		return errors.Join(s.SetBacklog(backlog), s.SetRcvhwm(unreadEvents), s.SetSndhwm(0),
			s.SetMaxmsgsize(o.MaxEventBytes), setKeepalive(s))
	})
	if err != nil {
		f.waiting.release()
		return nil, err
	}
	f.subscribers, err = create(zmq.XPUB, subURI, func(s *zmq.Socket) error {
		return errors.Join(s.SetBacklog(backlog), s.SetSndhwm(0), s.SetRcvhwm(unreadSubscriptions), s.SetXpubVerboser(1), s.SetMaxmsgsize(maxSubscriptionBytes),
			s.SetXpubWelcomeMsg(string(o.Welcome)), setKeepalive(s))
	})
	if err != nil {
		f.waiting.release()
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
	if err := f.watch(o); err != nil {
		return err
	}
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
	f.c.publishers, f.c.subscribers = pointer(f.publishers), pointer(f.subscribers)
	f.c.wake_fd, f.c.event_bytes_max = wake.c.epoll_fd, C.size_t(o.MaxEventBytes)
	f.c.waiting, f.c.asleep = f.waiting.c, (*C.int32_t)(unsafe.Pointer(f.asleep))
	f.done = (*C.struct_jb_forwarded)(C.jb_calloc(1, C.size_t(unsafe.Sizeof(C.struct_jb_forwarded{}))))
	if f.done == nil {
		return syscall.ENOMEM
	}
	f.done.keys = (*C.char)(C.jb_malloc(keysBytes))
	f.done.keys_capacity = keysBytes
	f.done.tallies = (*C.struct_jb_tally)(C.jb_calloc(tallyCount, C.size_t(unsafe.Sizeof(C.struct_jb_tally{}))))
	f.done.tally_capacity = tallyCount
	f.done.heard = (*C.struct_jb_heard)(C.jb_calloc(heardCount, C.size_t(unsafe.Sizeof(C.struct_jb_heard{}))))
	f.done.heard_capacity = heardCount
	if f.done.keys == nil || f.done.tallies == nil || f.done.heard == nil {
		return syscall.ENOMEM
	}
	return nil
}

// watch makes both sockets' peers known, before the first can connect.
func (f *Forwarder) watch(o ForwarderOptions) (err error) {
	f.asleep = new(int32)
	f.pinner.Pin(f.asleep)
	f.maxBytes = o.MaxBytes
	publishersFD, err1 := f.publishers.GetFd()
	subscribersFD, err2 := f.subscribers.GetFd()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	f.c.publishers_fd, f.c.subscribers_fd = C.int(publishersFD), C.int(subscribersFD)
	limits := PeerLimits{Subscriptions: o.Filters, Handshakes: maxHandshakes, MessageBytes: o.MaxEventBytes, Memory: o.WholeProcess}
	if f.senders, err = newPeers(f.publishers, limits, f.idles(f.c.publishers_fd), o.OnPanic); err != nil {
		return err
	}
	f.senders.CountWaiting(f.waiting.Bytes)
	limits.MessageBytes, limits.OnlyFilters = maxSubscriptionBytes, true
	if f.takers, err = newPeers(f.subscribers, limits, f.idles(f.c.subscribers_fd), o.OnPanic); err != nil {
		return err
	}
	f.takers.CountWaiting(f.waiting.Bytes)
	return nil
}

// idles returns what tells, in any goroutine, whether the proxy waits and nothing whole
// has come from a socket: libzmq would have made its file descriptor readable, and who
// sleeps has not read it.
func (f *Forwarder) idles(fd C.int) func() bool {
	asleep := func() bool { return atomic.LoadInt32(f.asleep) != 0 }
	return func() bool { return asleep() && C.jb_is_readable(fd) == 0 && asleep() }
}

// Addresses is where it listens, with real port numbers.
func (f *Forwarder) Addresses() (pubURI, subURI string) { return f.pubURI, f.subURI }

// Batch is what one Forward did, and what waits behind it.
type Batch struct {
	Tallies                []Tally // valid until the next Forward
	Heard                  []Heard // the same
	Events, Bytes, Refused uint64
}

// Forward waits up to timeout (negative: for ever) for something to do and
// forwards what waits, in one crossing. With hold it leaves the publishers'
// events where they are, and only serves connections and subscriptions.
func (f *Forwarder) Forward(timeout time.Duration, hold bool) (Batch, error) {
	d := f.done
	d.keys_size, d.tally_count, d.heard_count = 0, 0, 0
	d.events, d.bytes, d.refused = 0, 0, 0
	d.taken, d.taken_bytes, d.taken_all = 0, 0, 0
	f.c.suspicious = 0
	if f.senders.Suspects() {
		f.c.suspicious = 1
	}
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
			Events: uint64(t.events), Bytes: uint64(t.bytes),
		})
	}
	for _, h := range unsafe.Slice(d.heard, int(d.heard_count)) {
		f.heard = append(f.heard, Heard{Kind: HeardKind(h.kind), FD: int(h.fd), Key: keys[h.offset : h.offset+h.size]})
	}
	f.tellPeers(d)
	return Batch{
		Tallies: f.tallies, Heard: f.heard, Events: uint64(d.events), Bytes: uint64(d.bytes),
		Refused: uint64(d.refused),
	}, failure(rc)
}

// tellPeers tells of what peers did.
func (f *Forwarder) tellPeers(d *C.struct_jb_forwarded) {
	for _, heard := range f.heard {
		switch heard.Kind {
		case Came:
			f.senders.Came(heard.FD)
		case Subscribed, Unsubscribed:
			f.takers.Subscribed(heard.FD, heard.Kind == Subscribed, heard.Key)
		}
	}
	f.senders.Taken(int(d.taken), uint64(d.taken_bytes), d.taken_all != 0)
	f.takers.Taken(0, 0, len(f.heard) < heardCount/2)
	if f.waiting.Bytes() > f.maxBytes {
		f.takers.CutFrozen()
	}
}

// Overfull tells whether so much waits for subscribers that no more may come until
// some of them are cut off.
func (f *Forwarder) Overfull() bool { return f.waiting.Bytes() > 2*f.maxBytes }

// CutOff is how many peers have been cut off.
func (f *Forwarder) CutOff() uint64 { return f.senders.CutOff() + f.takers.CutOff() }

// CutOffs returns what has been cut off since the last call.
func (f *Forwarder) CutOffs() []CutOff { return append(f.senders.CutOffs(), f.takers.CutOffs()...) }

// Tell sends a message of the proxy's own to whoever subscribed to its key. Neither is
// empty.
func (f *Forwarder) Tell(key, payload []byte) error {
	rc := C.jb_send_one(pointer(f.subscribers), f.waiting.c, unsafe.Pointer(&key[0]), C.size_t(len(key)),
		unsafe.Pointer(&payload[0]), C.size_t(len(payload)))
	runtime.KeepAlive(f.subscribers)
	return failure(rc)
}

// Wake ends the wait of a Forward, now and ever after. Called once, or under a
// lock of the caller's.
func (f *Forwarder) Wake() { f.wake.Set() }

// closeTimeout bounds how long libzmq may take to free an address.
const closeTimeout = time.Second

// Close closes both sockets and returns when their addresses are free.
func (f *Forwarder) Close() {
	for s, peers := range map[*zmq.Socket]*Peers{f.publishers: f.senders, f.subscribers: f.takers} {
		_ = s.Close()
		if peers != nil {
			peers.Await(closeTimeout)
		}
	}
	if f.wake != nil {
		f.wake.Finish(-1)
	}
	f.waiting.release()
	f.pinner.Unpin()
	if f.done != nil {
		C.jb_free(unsafe.Pointer(f.done.keys))
		C.jb_free(unsafe.Pointer(f.done.tallies))
		C.jb_free(unsafe.Pointer(f.done.heard))
		C.jb_free(unsafe.Pointer(f.done))
	}
}
