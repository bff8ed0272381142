// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "forward.h"
// #include "memory.h"
import "C"

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"time"
	"unsafe"
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

// Heard is something that a peer said: the reserved key that it subscribed to or
// unsubscribed from, or a flush's key with its number behind it.
type Heard struct {
	Kind HeardKind
	Key  []byte // valid until the next Forward
}

// Forwarder is the proxy's two sides; side.h has why libzmq has neither. Forward and
// what it tells of are for one goroutine; Wake and Close for any, Close after that
// goroutine has ended.
type Forwarder struct {
	pub, sub    *listener
	publishers  *C.struct_jb_side
	subscribers *C.struct_jb_outbound
	wake        *Ready
	maxBytes    int64
	c           C.struct_jb_forwarder
	done        *C.struct_jb_forwarded
	tallies     []Tally
	heard       []Heard
	cutOffs     cutOffs
	known       [2][C.jb_cut_reasons]uint64 // of cut-offs, at each side
}

// ForwarderOptions are what a Forwarder needs to know.
type ForwarderOptions struct {
	MaxEventBytes int64
	MaxBytes      int64  // that may wait for subscribers, all together
	Welcome       []byte // sent to each subscriber that connects
	Filters       int    // of one subscriber; in bytes, filterBytes times as many
	// Announce is subscribed to at each publisher; it is told where both sides listen.
	Announce func(pubURI, subURI string) []byte
}

// pacedPart of the bytes that may wait for subscribers keeps their connections busy.
// More only waits: publishers are slowed then, and nobody is cut off who reads.
const pacedPart = 8

const (
	// refusedBytes is what a publisher sends that has the usual limit on events.
	refusedBytes = 64 << 20
	// filterBytes is how long a subscriber's filters may be on average when they are as
	// many as may be.
	filterBytes = 64
	// maxHandshakes is how many connections of one side may not have said yet who they
	// are.
	maxHandshakes = 128
	// reservedFDs are left to this process when connections have taken all others.
	reservedFDs = 16
)

// OpenForwarder listens at both addresses.
func OpenForwarder(pubURI, subURI string, o ForwarderOptions) (*Forwarder, error) {
	f := &Forwarder{maxBytes: o.MaxBytes, cutOffs: cutOffs{news: make(chan struct{}, 1)}}
	if err := f.open(pubURI, subURI, o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Forwarder) open(pubURI, subURI string, o ForwarderOptions) (err error) {
	if f.wake, err = NewMark(); err != nil {
		return err
	}
	if f.sub, err = listenFor(subURI); err != nil {
		return err
	}
	if f.pub, err = listenFor(pubURI); err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	maxFD := int(min(limit.Cur, 1<<30)) - reservedFDs
	options := C.struct_jb_side_options{
		// A quarter of the file descriptors that are left, on each side, so that those
		// who shake hands leave room for peers.
		handshakes_max: C.int(max(1, min(maxHandshakes, (maxFD-f.pub.fd)/4))),
		handshake_ms:   C.int(handshakeLimit.Milliseconds()), fd_max: C.int(maxFD),
	}
	if err := f.openSubscribers(options, o); err != nil {
		return fmt.Errorf("listen at %s: %w", subURI, err)
	}
	if err := f.openPublishers(options, o); err != nil {
		return fmt.Errorf("listen at %s: %w", pubURI, err)
	}
	f.c = C.struct_jb_forwarder{
		publishers: f.publishers, subscribers: f.subscribers, wake_fd: f.wake.c.epoll_fd,
		paced_bytes: C.uint64_t(o.MaxBytes / pacedPart),
	}
	return f.makeReport()
}

func (f *Forwarder) openSubscribers(options C.struct_jb_side_options, o ForwarderOptions) (err error) {
	frame := frameOf(o.Welcome)
	welcome := C.CBytes(frame)
	defer C.free(welcome)
	options.limits = C.struct_jb_limits{taken: C.jb_filter_bytes_max, refused: C.jb_filter_bytes_max}
	options.kept_bytes_max = C.uint64_t(o.MaxBytes)
	options.welcome, options.welcome_size = welcome, C.size_t(len(frame))
	f.subscribers, err = C.jb_outbound_new(C.int(f.sub.fd), &C.struct_jb_outbound_options{
		side: options, filters_max: C.size_t(o.Filters), filter_bytes_max: C.size_t(filterBytes * o.Filters),
		waiting_bytes_max: C.uint64_t(o.MaxBytes),
	})
	if f.subscribers == nil {
		return err
	}
	return nil
}

func (f *Forwarder) openPublishers(options C.struct_jb_side_options, o ForwarderOptions) (err error) {
	// Everything, at once and for ever: a legacy publisher waits up to 5 s for a
	// subscription, and never reads another one.
	subscriptions := frameOf([]byte{1})
	subscriptions = append(subscriptions, frameOf(append([]byte{1}, o.Announce(f.pub.uri, f.sub.uri)...))...)
	welcome := C.CBytes(subscriptions)
	defer C.free(welcome)
	// A good publisher may have another limit. What it sends is refused then, and it stays.
	options.limits = C.struct_jb_limits{
		taken: C.uint64_t(o.MaxEventBytes), refused: C.uint64_t(max(o.MaxEventBytes, refusedBytes)),
	}
	options.kept_bytes_max = C.uint64_t(o.MaxBytes + o.MaxEventBytes)
	options.welcome, options.welcome_size = welcome, C.size_t(len(subscriptions))
	options.connection_size = C.sizeof_struct_jb_connection
	f.publishers, err = C.jb_side_new(C.int(f.pub.fd), &options)
	if f.publishers == nil {
		return err
	}
	return nil
}

// frameOf is a message of one frame, as ZMTP has it.
func frameOf(body []byte) []byte { return appendFrame(nil, 0, body) }

func appendFrame(to []byte, flags byte, body []byte) []byte {
	if len(body) > 255 {
		to = binary.BigEndian.AppendUint64(append(to, flags|2), uint64(len(body)))
	} else {
		to = append(to, flags, byte(len(body)))
	}
	return append(to, body...)
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

// Addresses is where it listens, with real port numbers.
func (f *Forwarder) Addresses() (pubURI, subURI string) { return f.pub.uri, f.sub.uri }

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
	f.tallies, f.heard = f.tallies[:0], f.heard[:0]
	keys := unsafe.Slice((*byte)(unsafe.Pointer(d.keys)), keysBytes)
	for _, t := range unsafe.Slice(d.tallies, int(d.tally_count)) {
		f.tallies = append(f.tallies, Tally{
			Key:    keys[t.key_offset : t.key_offset+t.key_size],
			Events: uint64(t.events), Bytes: uint64(t.bytes),
		})
	}
	for _, h := range unsafe.Slice(d.heard, int(d.heard_count)) {
		f.heard = append(f.heard, Heard{Kind: HeardKind(h.kind), Key: keys[h.offset : h.offset+h.size]})
	}
	f.noteCutOffs()
	return Batch{
		Tallies: f.tallies, Heard: f.heard, Events: uint64(d.events), Bytes: uint64(d.bytes),
		Refused: uint64(d.refused),
	}, failure(rc)
}

// Why peers are cut off, in the order of C.
var cutReasons = [C.jb_cut_reasons]string{
	C.jb_cut_silent:     SilentHandshake,
	C.jb_cut_handshakes: TooManyHandshakes,
	C.jb_cut_fds:        NoDescriptors,
	C.jb_cut_frame:      TooLargeFrame,
	C.jb_cut_endless:    EndlessMessage,
	C.jb_cut_unfinished: Unfinished,
	C.jb_cut_filters:    TooManySubscriptions,
	C.jb_cut_frozen:     Frozen,
	C.jb_cut_slow:       Slow,
	C.jb_cut_memory:     NoMemory,
}

// noteCutOffs takes in which peers have been cut off.
func (f *Forwarder) noteCutOffs() {
	for i, side := range []*C.struct_jb_side{f.publishers, C.jb_outbound_side(f.subscribers)} {
		cuts, known := unsafe.Slice(C.jb_side_cut_offs(side), C.jb_cut_reasons), &f.known[i]
		for reason := range cuts {
			cut := &cuts[reason]
			if count := uint64(cut.count); count != known[reason] {
				why := cutReasons[reason]
				if reason == C.jb_cut_protocol {
					why = [...]string{NoPublisher, NoSubscriber}[i]
				}
				f.cutOffs.add(why, C.GoString(&cut.address[0]), count-known[reason])
				known[reason] = count
			}
		}
	}
}

// Overfull tells whether so much waits for subscribers that no more may come until
// some of them are cut off.
func (f *Forwarder) Overfull() bool { return f.waitingBytes() > 2*f.maxBytes }

func (f *Forwarder) waitingBytes() int64 { return int64(C.jb_outbound_waiting(f.subscribers)) }

// CutOff is how many peers have been cut off.
func (f *Forwarder) CutOff() uint64 { return f.cutOffs.total() }

// CutOffNews has an element when CutOffs may have something.
func (f *Forwarder) CutOffNews() <-chan struct{} { return f.cutOffs.news }

// CutOffs returns what has been cut off since the last call.
func (f *Forwarder) CutOffs() []CutOff { return f.cutOffs.take() }

// Tell sends a message of the proxy's own to whoever subscribed to its key. The next
// Forward writes it.
func (f *Forwarder) Tell(key, payload []byte) {
	wire := appendFrame(nil, 1, key)
	at := len(wire) - len(key)
	wire = appendFrame(wire, 0, payload)
	C.jb_outbound_tell(f.subscribers, unsafe.Pointer(&wire[0]), C.size_t(len(wire)), C.size_t(at), C.size_t(len(key)))
}

// Watched is a filter whose events are counted, as long as the forwarder is open.
type Watched struct{ route *C.struct_jb_route }

// Watch has events counted that come under a filter, one that ends with a dot, from now
// on, whoever has it; nil without memory.
func (f *Forwarder) Watch(filter string) *Watched {
	route := C.jb_outbound_watch(f.subscribers, unsafe.Pointer(unsafe.StringData(filter)), C.size_t(len(filter)))
	if route == nil {
		return nil
	}
	return &Watched{route}
}

// Unwatch gives up what Watch returned.
func (f *Forwarder) Unwatch(w *Watched) { C.jb_outbound_unwatch(f.subscribers, w.route) }

// Events is how many events have come under the filter, from a start that is not known.
func (w *Watched) Events() uint64 { return uint64(C.jb_route_events(w.route)) }

// Wake ends the wait of a Forward, now and ever after. Called once, or under a
// lock of the caller's.
func (f *Forwarder) Wake() { f.wake.Set() }

// Close closes both sides and frees their addresses. Also one that has not been opened as
// a whole.
func (f *Forwarder) Close() {
	C.jb_side_free(f.publishers)
	C.jb_outbound_free(f.subscribers)
	for _, l := range []*listener{f.pub, f.sub} {
		if l != nil {
			_ = l.Close()
		}
	}
	if f.wake != nil {
		f.wake.Finish(-1)
	}
	if f.done != nil {
		C.jb_free(unsafe.Pointer(f.done.keys))
		C.jb_free(unsafe.Pointer(f.done.tallies))
		C.jb_free(unsafe.Pointer(f.done.heard))
		C.jb_free(unsafe.Pointer(f.done))
	}
}
