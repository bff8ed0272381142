// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
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
const waitSlice = 10 * time.Millisecond

// handovers are the closed publishers that still hold events.
var handovers handoverSet

type handoverSet struct {
	mu      sync.Mutex
	pending map[*handover]struct{}
}

// handover is one closed publisher on its way out.
type handover struct {
	mu      sync.Mutex
	monitor *socket.Monitor // nil when it is done
}

func (h *handoverSet) begin(closeSocket func() *socket.Monitor) *handover {
	h.mu.Lock()
	one := &handover{monitor: closeSocket()}
	if h.pending == nil {
		h.pending = make(map[*handover]struct{})
	}
	h.pending[one] = struct{}{}
	h.mu.Unlock()
	housekeeping.add(one)
	return one
}

// await waits until it is done, negative for ever, or stop is closed, and tells
// whether it is done.
func (h *handover) await(timeout time.Duration, stop <-chan struct{}) bool {
	deadline := time.Now().Add(timeout)
	for {
		slice := waitSlice
		if timeout >= 0 {
			slice = min(slice, max(time.Until(deadline), 0))
		}
		if h.look(slice) {
			return true
		}
		if timeout >= 0 && !time.Now().Before(deadline) {
			return false
		}
		select {
		case <-stop:
			return false
		default:
		}
	}
}

func (h *handover) look(slice time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.monitor == nil {
		return true
	}
	if !h.monitor.AwaitStopped(slice) {
		return false
	}
	h.monitor.Close()
	h.monitor = nil
	handovers.mu.Lock()
	delete(handovers.pending, h)
	handovers.mu.Unlock()
	housekeeping.remove(h)
	return true
}

// tend is housekeeping: frees what nobody waits for.
func (h *handover) tend() { h.look(0) }

// WaitClosed waits, negative for ever, until every publisher closed so far has
// handed over its events or given up, and tells whether they have.
func WaitClosed(timeout time.Duration) bool {
	handovers.mu.Lock()
	pending := make([]*handover, 0, len(handovers.pending))
	for one := range handovers.pending {
		pending = append(pending, one)
	}
	handovers.mu.Unlock()
	deadline := time.Now().Add(timeout)
	for _, one := range pending {
		left := timeout
		if timeout >= 0 {
			left = max(time.Until(deadline), 0)
		}
		if !one.await(left, nil) {
			return false
		}
	}
	return true
}
