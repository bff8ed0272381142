// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "calls.h"
// #include "send.h"
import "C"

import (
	"errors"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	zmq "github.com/pebbe/zmq4"
)

// Event is what a Publisher sends: the frames of one multipart message.
type Event struct {
	Key    []byte
	Frames [][]byte
}

// Size is the bytes of its key and frames.
func (e *Event) Size() int64 {
	size := int64(len(e.Key))
	for _, frame := range e.Frames {
		size += int64(len(frame))
	}
	return size
}

// ErrNoRoom says that the queue towards the network is full.
var ErrNoRoom = errors.New("no room")

// maxSubscriptionBytes bounds what a subscriber may send: libzmq keeps a node of
// memory for each byte of a filter, and walks them recursively.
const maxSubscriptionBytes = 2 << 10

// Publisher is an XPUB socket: by reading the subscriptions that arrive it knows
// when a proxy is there.
type Publisher struct {
	base
	c       *C.struct_jb_publisher // the end
	Waiting waiting                // of what has not gone to the network
	parts   []C.struct_jb_part     // reused, under the owner's lock like everything here
	copies  []byte                 // of small frames; reused
	inbox   [maxSubscriptionBytes]byte
}

// PublisherOptions are what a Publisher needs to know.
type PublisherOptions struct {
	Bind      bool // it listens
	MaxEvents int  // queued towards the network
	// Of one event, and of all that wait; for callers in C.
	MaxEventBytes, MaxWaitingBytes int64
	Unchecked                      bool // callers in C may send any payload
	Heartbeat                      time.Duration
}

// OpenPublisher connects to a proxy, or listens itself.
func OpenPublisher(uri string, o PublisherOptions) (*Publisher, error) {
	heartbeat, alive := o.Heartbeat, func(*zmq.Socket) error { return nil }
	if o.Bind {
		heartbeat, alive = 0, setKeepalive // as a proxy, whose place it takes
	}
	base, err := open(zmq.XPUB, uri, heartbeat, newPublisherEnd, func(s *zmq.Socket) error {
		return errors.Join(alive(s), s.SetSndhwm(o.MaxEvents), s.SetXpubNodrop(true), s.SetMaxmsgsize(maxSubscriptionBytes),
			// To a socket that connects, every proxy is a new one, and says the same
			// as the one before.
			setVerbose(s, !o.Bind))
	})
	if err != nil {
		return nil, err
	}
	p := newPublisher(base)
	p.c.event_bytes_max, p.c.waiting_bytes_max = C.size_t(o.MaxEventBytes), C.uint64_t(o.MaxWaitingBytes)
	if o.Unchecked {
		p.c.unchecked = 1
	}
	attach := p.zmq.Connect
	if o.Bind {
		attach = func(uri string) error { return listen(p.zmq, uri) }
	}
	if err := attach(uri); err != nil {
		return nil, p.abandon(err)
	}
	return p, nil
}

func newPublisherEnd() *C.struct_jb_end { return C.jb_publisher_new() }

func newPublisher(b base) *Publisher {
	c := (*C.struct_jb_publisher)(unsafe.Pointer(b.end.c))
	return &Publisher{base: b, c: c, Waiting: waitingOf(c.waiting)}
}

// Watch lets a poller tell of what comes to the socket and of its connections.
func (p *Publisher) Watch(poller *Poller) {
	poller.Watch(p.fd)
	poller.Watch(p.Monitor.fd)
}

// AwaitRoom makes Ready readable when less than so many bytes wait.
func (p *Publisher) AwaitRoom(bytes int64) error {
	fd := C.jb_waiting_await(p.Waiting.c, C.uint64_t(bytes))
	if fd < 0 {
		return failure(fd)
	}
	return failure(C.jb_ready_also(p.Ready.c, fd))
}

// ForgetRoom ends that.
func (p *Publisher) ForgetRoom() { C.jb_waiting_forget(p.Waiting.c) }

// Passed returns what callers in C have sent past Go since the last call.
func (p *Publisher) Passed() (events, bytes uint64) {
	events, bytes = uint64(p.c.events), uint64(p.c.bytes)
	p.c.events, p.c.bytes = 0, 0
	return events, bytes
}

func setVerbose(s *zmq.Socket, verbose bool) error {
	if verbose {
		return s.SetXpubVerbose(1)
	}
	return nil
}

// Address is where a listening publisher listens, with its real port.
func (p *Publisher) Address() (string, error) { return p.zmq.GetLastEndpoint() }

// ReadSubscription takes the next thing that subscribers or a proxy sent: a filter
// that is subscribed to, or unsubscribed from, valid until the next call. Not ok: there
// is nothing.
func (p *Publisher) ReadSubscription() (filter []byte, subscribed, ok bool, err error) {
	for {
		size := C.jb_receive_bytes(p.pointer, unsafe.Pointer(&p.inbox[0]), C.size_t(len(p.inbox)))
		runtime.KeepAlive(p.zmq)
		switch {
		case syscall.Errno(-size) == syscall.EAGAIN:
			return nil, false, false, nil
		case size < 0:
			return nil, false, false, failure(size)
		case size > 0 && p.inbox[0] <= 1:
			return p.inbox[1:size], p.inbox[0] == 1, true, nil
		}
	}
}

// Send sends events without waiting, in one crossing. It returns how many went
// out, and ErrNoRoom if not all did.
func (p *Publisher) Send(events []Event) (sent int, err error) {
	if len(events) == 1 && len(events[0].Frames) == 1 {
		e := &events[0]
		if rc := p.sendOne(e.Key, e.Frames[0]); rc != 0 {
			return 0, sendFailure(rc)
		}
		return 1, nil
	}
	return p.sendMany(events)
}

// sendOne takes addresses of elements, in the call: so cgo looks for Go pointers in
// the bytes only, of which there are none, not in what they may be a part of.
func (p *Publisher) sendOne(key, payload []byte) C.int {
	size := C.size_t(len(payload))
	if size == 0 {
		payload = nothing[:]
	}
	rc := C.jb_send_one(p.pointer, p.Waiting.c, unsafe.Pointer(&key[0]), C.size_t(len(key)), unsafe.Pointer(&payload[0]), size)
	runtime.KeepAlive(p.zmq)
	return rc
}

// nothing is where an empty payload begins.
var nothing [1]byte

// Pinning a frame costs more than copying a small one. What is copied goes into one
// piece of memory, which cgo pins for the call; its bound is what a batch may keep.
const (
	copiedFrame = 1 << 10
	copiedBatch = 256 << 10
)

func (p *Publisher) sendMany(events []Event) (int, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	p.parts, p.copies = p.parts[:0], p.copies[:0]
	for i := range events {
		p.add(events[i].Key, &pinner)
		for _, frame := range events[i].Frames {
			p.add(frame, &pinner)
		}
		p.parts[len(p.parts)-1].last = 1
	}
	if len(p.parts) == 0 {
		return 0, nil
	}
	var sent C.size_t
	rc := C.jb_send(p.pointer, p.Waiting.c, &p.parts[0], C.size_t(len(p.parts)), unsafe.Pointer(unsafe.SliceData(p.copies)), &sent)
	runtime.KeepAlive(p.zmq)
	return int(sent), sendFailure(rc)
}

// add adds a frame to the parts, copied or pinned.
func (p *Publisher) add(frame []byte, pinner *runtime.Pinner) {
	part := C.struct_jb_part{size: C.size_t(len(frame))}
	if len(frame) <= copiedFrame && len(p.copies)+len(frame) <= copiedBatch {
		p.copies = append(p.copies, frame...)
	} else {
		data := unsafe.SliceData(frame)
		pinner.Pin(data)
		part.data = C.uintptr_t(uintptr(unsafe.Pointer(data)))
	}
	p.parts = append(p.parts, part)
}

func sendFailure(rc C.int) error {
	if syscall.Errno(-rc) == syscall.EAGAIN {
		return ErrNoRoom
	}
	return failure(rc)
}

// SendLossy sends one event to whoever has room for it.
func (p *Publisher) SendLossy(event Event) error {
	if err := p.zmq.SetXpubNodrop(false); err != nil {
		return err
	}
	_, err := p.Send([]Event{event})
	return errors.Join(err, p.zmq.SetXpubNodrop(true))
}

// Close closes the socket, which goes on handing over what it holds for as long
// as linger (negative: for ever). The monitor that it returns tells when it is
// done and is the caller's to close. The end is let go of by the Unlock that follows.
func (p *Publisher) Close(linger time.Duration) *Monitor {
	if linger < 0 {
		linger = -1
	}
	_ = p.zmq.SetLinger(linger)
	p.Finish()
	_ = p.zmq.Close()
	p.over = true
	return p.Monitor
}
