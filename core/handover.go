// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"math"
	"sync"
	"time"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// backgroundLinger is for how long a closed publisher that nobody waits for goes
// on handing over: a proxy that is there takes it in milliseconds, and one that
// is not must not keep a process from ending.
const backgroundLinger = time.Second

// waitSlice is how long one wait holds a handover, so that housekeeping and
// several waiters can share it.
const waitSlice = 2 * time.Millisecond

// handovers are the closed publishers that still hold events.
var handovers handoverSet

type handoverSet struct {
	mu      sync.Mutex
	pending map[*handover]struct{}
	givenUp uint64 // events of those that nobody waited for
}

// handover is one closed publisher on its way out: first its queue goes into the
// socket, then the socket into the network.
type handover struct {
	mu        sync.Mutex
	deadline  time.Time // the zero time: none
	publisher *Publisher
	monitor   *socket.Monitor // of the socket, once that is closed
	queued    uint64          // events in the queue
	inSocket  uint64          // events in the socket, at most
	stillFrom time.Time       // since when the network has had nothing to send
	left      uint64          // events that have not been handed over, at most
	awaited   int             // those who wait; they are told what is left
	told      bool            // somebody has been
	done      bool
}

func newHandover(p *Publisher, timeout time.Duration) *handover {
	h := &handover{publisher: p, deadline: time.Now()}
	h.extend(timeout)
	return h
}

// extend makes it go on for a timeout from now, and a while in the background.
func (h *handover) extend(timeout time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	deadline := time.Now().Add(max(timeout, backgroundLinger))
	switch {
	case timeout < 0:
		h.deadline = time.Time{}
	case h.monitor == nil && !h.deadline.IsZero() && deadline.After(h.deadline):
		h.deadline = deadline
	}
}

// goOn waits for a timeout, and as long as that takes it goes on.
func (h *handover) goOn(timeout time.Duration, stop <-chan struct{}) (left uint64, done bool) {
	h.extend(timeout)
	left, done = h.await(timeout, stop)
	// Else the caller does not wait for the end, or will ask again.
	if done || timeout < 0 || timeout >= backgroundLinger {
		h.tell()
	}
	return left, done
}

func (h *handoverSet) begin(one *handover) {
	h.mu.Lock()
	if h.pending == nil {
		h.pending = make(map[*handover]struct{})
	}
	h.pending[one] = struct{}{}
	h.mu.Unlock()
	housekeeping.add(one)
}

// await waits until it is done, negative for ever, or stop is closed. It returns how
// many events have not been handed over, at most, and whether that is final.
func (h *handover) await(timeout time.Duration, stop <-chan struct{}) (left uint64, done bool) {
	deadline := time.Now().Add(timeout)
	h.wait(1)
	defer h.wait(-1)
	for {
		slice := waitSlice
		if timeout >= 0 {
			slice = min(slice, max(time.Until(deadline), 0))
		}
		if left, done = h.look(slice); done {
			return left, true
		}
		if timeout >= 0 && !time.Now().Before(deadline) {
			return left, false
		}
		select {
		case <-stop:
			return left, false
		default:
		}
	}
}

// tell notes that somebody has been told what is left, and returns whether nobody had.
func (h *handover) tell() (first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first, h.told = !h.told, true
	return first
}

func (h *handover) wait(waiters int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.awaited += waiters
}

func (h *handover) remaining() time.Duration {
	if h.deadline.IsZero() {
		return time.Duration(math.MaxInt64)
	}
	return max(time.Until(h.deadline), 0)
}

func (h *handover) look(slice time.Duration) (left uint64, done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		return h.left, true
	}
	if h.monitor == nil && !h.closeSocket() {
		time.Sleep(slice)
		return h.left, false
	}
	if !h.monitor.AwaitStopped(slice) {
		return h.left, false
	}
	if h.left = h.queued; h.remaining() == 0 { // libzmq has thrown away what it still held
		h.left += h.inSocket
	}
	h.monitor.Close()
	h.done = true
	handovers.mu.Lock()
	delete(handovers.pending, h)
	if h.awaited == 0 && !h.told {
		handovers.givenUp += h.left
	}
	handovers.mu.Unlock()
	housekeeping.remove(h)
	return h.left, true
}

// socketLinger is what remains for the socket when the queue is given up: one that
// holds nothing closes at once, and so shows that it does not.
const socketLinger = 50 * time.Millisecond

// lingerSlack makes libzmq, which counts whole milliseconds, give up after the deadline
// and not before: what it has given up then is counted.
const lingerSlack = 2 * time.Millisecond

// stillFor is for how long that tells that the socket holds no more. If it does after
// all, it goes on by itself when it is closed.
const stillFor = 2 * waitSlice

// closeSocket closes the socket when the queue is empty and the network has taken what
// the socket held, or its time is up. From then on nothing is known of the events in it,
// but how many those are at most.
//
// Not earlier, although libzmq would go on by itself: what a proxy sends to a closing
// socket stops libzmq from reading, and if the connection breaks then, the next
// heartbeat ends the process by an assertion. What is left of that is a proxy that comes
// back to a closing socket and dies again at once.
func (h *handover) closeSocket() bool {
	p := h.publisher
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look()
	h.queued, h.inSocket = uint64(p.queue.len()), min(p.unconfirmed(), uint64(max(p.options.maxEvents, 1)))
	h.left = h.queued + h.inSocket
	remaining := h.remaining()
	if p.link.sending() || h.stillFrom.IsZero() {
		h.stillFrom = time.Now()
	}
	if (h.queued > 0 || time.Since(h.stillFrom) < stillFor) && remaining > socketLinger {
		return false
	}
	linger := remaining + lingerSlack
	if h.deadline.IsZero() {
		linger = -1
	}
	h.monitor = p.socket.Close(linger)
	p.queue, p.keys, p.batch = queue{}, nil, nil // a handle may keep the publisher for long
	return true
}

// tend is housekeeping: goes on with what nobody waits for.
func (h *handover) tend() (calm bool) {
	h.tendLink()
	h.look(0)
	return false
}

func (h *handover) watch(*socket.Poller) {}

func (h *handover) tendLink() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.monitor == nil {
		h.publisher.mu.Lock()
		defer h.publisher.mu.Unlock()
		h.publisher.tendLink()
	}
}

// WaitClosed waits, negative for ever, until every publisher closed so far has
// handed over its events or given up. It returns how many events, at most, those
// have given up that nobody waited for, since the last call, and whether all are done.
func WaitClosed(timeout time.Duration) (givenUp uint64, done bool) {
	handovers.mu.Lock()
	pending := make([]*handover, 0, len(handovers.pending))
	for one := range handovers.pending {
		pending = append(pending, one)
	}
	handovers.mu.Unlock()
	deadline := time.Now().Add(timeout)
	done = true
	for _, one := range pending {
		wait := timeout
		if timeout >= 0 {
			wait = max(time.Until(deadline), 0)
		}
		left, final := one.await(wait, nil)
		if done = done && final; final && one.tell() {
			givenUp += left
		}
	}
	handovers.mu.Lock()
	defer handovers.mu.Unlock()
	givenUp, handovers.givenUp = givenUp+handovers.givenUp, 0
	return givenUp, done
}
