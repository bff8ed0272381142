// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "forward.h"
// #include "memory.h"
// #include "send.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
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
)

// Heard is something that a peer said: the filter that it subscribed to or
// unsubscribed from, or a flush's key with its number behind it.
type Heard struct {
	Kind HeardKind
	FD   int    // of the subscriber's connection; -1 if that is over
	Key  []byte // valid until the next Forward
}

// Forwarder is the proxy's two sides: connections of publishers, which it reads itself
// (inbound.h has why), and an XPUB towards the subscribers. Forward and what it tells of
// are for one goroutine; Wake and Close for any, Close after that goroutine has ended.
type Forwarder struct {
	listener    *listener
	publishers  *C.struct_jb_inbound
	subscribers *zmq.Socket
	subURI      string
	wake        *Ready
	waiting     waiting        // for subscribers
	takers      *Peers         // the subscribers
	asleep      *int32         // not zero while it waits
	pinner      runtime.Pinner // of asleep, which C writes
	maxBytes    int64
	c           C.struct_jb_forwarder
	done        *C.struct_jb_forwarded
	tallies     []Tally
	heard       []Heard
	cutOffs     cutOffs // of publishers
	known       [C.jb_cut_reasons]uint64
}

// ForwarderOptions are what a Forwarder needs to know.
type ForwarderOptions struct {
	MaxEventBytes int64
	MaxBytes      int64  // that may wait for subscribers, all together
	Welcome       []byte // sent to each subscriber that connects
	Filters       int    // of one subscriber
	OnPanic       func(any)
	// Announce is subscribed to at each publisher; it is told where both sides listen.
	Announce func(pubURI, subURI string) []byte
}

// pacedPart of the bytes that may wait for subscribers keeps libzmq's thread busy. More
// only waits: publishers are slowed then, and nobody is cut off who reads.
const pacedPart = 8

// maxHandshakes is how many connections of one side may not have said yet who they
// are.
const maxHandshakes = 128

// unreadSubscriptions is how many messages of one subscriber may wait. libzmq takes all
// that is there at once, and more as long as it comes: with more room, a flood of
// subscriptions from one peer would stop the events, and its memory grow, before the
// proxy is told of any.
const unreadSubscriptions = 16

// backlog is how many connections may wait to be accepted. Beyond it the kernel lets a
// good client wait for a second.
const backlog = 4096

// OpenForwarder listens at both addresses.
func OpenForwarder(pubURI, subURI string, o ForwarderOptions) (*Forwarder, error) {
	f := &Forwarder{maxBytes: o.MaxBytes, asleep: new(int32)}
	f.pinner.Pin(f.asleep)
	if err := f.open(pubURI, subURI, o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Forwarder) open(pubURI, subURI string, o ForwarderOptions) (err error) {
	if f.waiting, err = newWaiting(); err != nil {
		return err
	}
	if f.wake, err = NewMark(); err != nil {
		return err
	}
	if err = f.listenForSubscribers(subURI, o); err != nil {
		return err
	}
	if err = f.listenForPublishers(pubURI, o); err != nil {
		return err
	}
	f.c.publishers, f.c.subscribers = f.publishers, pointer(f.subscribers)
	f.c.wake_fd, f.c.waiting, f.c.asleep = f.wake.c.epoll_fd, f.waiting.c, (*C.int32_t)(unsafe.Pointer(f.asleep))
	f.c.paced_bytes = C.uint64_t(o.MaxBytes / pacedPart)
	return f.makeReport()
}

func (f *Forwarder) listenForSubscribers(uri string, o ForwarderOptions) (err error) {
	f.subscribers, err = create(zmq.XPUB, uri, func(s *zmq.Socket) error {
		return errors.Join(s.SetBacklog(backlog), s.SetSndhwm(0), s.SetRcvhwm(unreadSubscriptions), s.SetXpubVerboser(1), s.SetMaxmsgsize(maxSubscriptionBytes),
			s.SetXpubWelcomeMsg(string(o.Welcome)), setKeepalive(s))
	})
	if err != nil {
		return err
	}
	fd, err := f.subscribers.GetFd()
	if err != nil {
		return err
	}
	f.c.subscribers_fd = C.int(fd)
	// They are known before the first can connect.
	limits := PeerLimits{Subscriptions: o.Filters, Handshakes: maxHandshakes}
	if f.takers, err = newPeers(f.subscribers, limits, f.idles, o.OnPanic); err != nil {
		return err
	}
	if err := listen(f.subscribers, uri); err != nil {
		return err
	}
	f.subURI, err = f.subscribers.GetLastEndpoint()
	return err
}

func (f *Forwarder) listenForPublishers(uri string, o ForwarderOptions) (err error) {
	if f.listener, err = listenFor(uri); err != nil {
		return err
	}
	maxFD, err := maxConnectionFD()
	if err != nil {
		return err
	}
	// Everything, at once and for ever: a legacy publisher waits up to 5 s for a
	// subscription, and never reads another one.
	subscriptions := subscription(nil)
	subscriptions = append(subscriptions, subscription(o.Announce(f.listener.uri, f.subURI))...)
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(&subscriptions[0])
	f.publishers, err = C.jb_inbound_new(C.int(f.listener.fd), &C.struct_jb_inbound_options{
		event_bytes_max: C.size_t(o.MaxEventBytes),
		handshakes_max:  C.int(handshakesWithin(maxHandshakes, maxFD, f.listener.fd)),
		handshake_ms:    C.int(handshakeLimit.Milliseconds()),
		fd_max:          C.int(maxFD),
		subscriptions:   unsafe.Pointer(&subscriptions[0]), subscriptions_size: C.size_t(len(subscriptions)),
	})
	if f.publishers == nil {
		return fmt.Errorf("listen at %s: %w", uri, err)
	}
	return nil
}

// subscription is how a proxy asks a publisher for what begins with a prefix: a frame of
// ZMTP.
func subscription(prefix []byte) []byte {
	size := 1 + len(prefix)
	head := []byte{0, byte(size)}
	if size > 255 {
		head = binary.BigEndian.AppendUint64([]byte{2}, uint64(size))
	}
	return append(append(head, 1), prefix...)
}

// makeReport makes room for what a batch did.
func (f *Forwarder) makeReport() error {
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

// idles tells, in any goroutine, whether the proxy waits and nothing whole has come from
// a subscriber: libzmq would have made its file descriptor readable, and who sleeps has
// not read it.
func (f *Forwarder) idles() bool {
	asleep := func() bool { return atomic.LoadInt32(f.asleep) != 0 }
	return asleep() && C.jb_is_readable(f.c.subscribers_fd) == 0 && asleep()
}

// Addresses is where it listens, with real port numbers.
func (f *Forwarder) Addresses() (pubURI, subURI string) { return f.listener.uri, f.subURI }

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
	ms := C.int(-1)
	if timeout >= 0 {
		ms = C.int((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	var holding C.int
	if hold {
		holding = 1
	}
	rc := C.jb_forward(&f.c, ms, holding, d)
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
	f.tellPeers()
	f.noteCutOffs()
	return Batch{
		Tallies: f.tallies, Heard: f.heard, Events: uint64(d.events), Bytes: uint64(d.bytes),
		Refused: uint64(d.refused),
	}, failure(rc)
}

// tellPeers tells what subscribers did.
func (f *Forwarder) tellPeers() {
	for _, heard := range f.heard {
		if heard.Kind != FlushAsked {
			f.takers.Subscribed(heard.FD, heard.Kind == Subscribed, heard.Key)
		}
	}
	if len(f.heard) < heardCount/2 {
		f.takers.TakenAll()
	}
	if f.waiting.Bytes() > f.maxBytes {
		f.takers.CutFrozen()
	}
}

// Why publishers are cut off, in the order of C.
var cutReasons = [C.jb_cut_reasons]string{
	C.jb_cut_protocol:   BreaksProtocol,
	C.jb_cut_silent:     SilentHandshake,
	C.jb_cut_handshakes: TooManyHandshakes,
	C.jb_cut_fds:        NoDescriptors,
	C.jb_cut_frame:      TooLargeFrame,
	C.jb_cut_endless:    EndlessMessage,
	C.jb_cut_deaf:       Frozen,
	C.jb_cut_memory:     NoMemory,
}

// noteCutOffs takes in which publishers have been cut off.
func (f *Forwarder) noteCutOffs() {
	cuts := unsafe.Slice(C.jb_inbound_cut_offs(f.publishers), len(f.known))
	for reason := range cuts {
		cut := &cuts[reason]
		if count := uint64(cut.count); count != f.known[reason] {
			f.cutOffs.add(cutReasons[reason], C.GoString(&cut.address[0]), count-f.known[reason])
			f.known[reason] = count
		}
	}
}

// Overfull tells whether so much waits for subscribers that no more may come until
// some of them are cut off.
func (f *Forwarder) Overfull() bool { return f.waiting.Bytes() > 2*f.maxBytes }

// CutOff is how many peers have been cut off.
func (f *Forwarder) CutOff() uint64 { return f.cutOffs.total() + f.takers.CutOff() }

// CutOffs returns what has been cut off since the last call.
func (f *Forwarder) CutOffs() []CutOff { return append(f.cutOffs.take(), f.takers.CutOffs()...) }

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

// Close closes both sides and returns when their addresses are free. Also one that has
// not been opened as a whole.
func (f *Forwarder) Close() {
	C.jb_inbound_free(f.publishers)
	if f.listener != nil {
		_ = f.listener.Close()
	}
	if f.subscribers != nil {
		_ = f.subscribers.Close()
	}
	if f.takers != nil {
		f.takers.Await(closeTimeout)
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
