// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"sync"
	"time"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// Between two rounds of housekeeping. The shorter is how old a connection's state may
// be, and how long what nobody waits for may take. When nothing is going on, the next
// round comes when something happens, or after the longer: each costs a process that is
// at rest some 0.25 ms of CPU time, most of it Go's threads that wake each other.
const (
	housekeepingInterval = 100 * time.Millisecond
	calmInterval         = time.Second
)

// housekeeping is the one goroutine of this process that does what nobody waits
// for. It lives while there is something to tend.
var housekeeping housekeeper

// tender is what there is to tend. It tells whether nothing is going on, and what the
// poller, which may be nil, is to watch until the next round.
type tender interface {
	tend(poller *socket.Poller) (calm bool)
}

type housekeeper struct {
	mu      sync.Mutex
	tenders map[tender]struct{}
	running bool
	poller  *socket.Poller // while it is running, if there was a descriptor for it
	hurried bool           // something is going on that it has not seen
}

func (h *housekeeper) add(t tender) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tenders == nil {
		h.tenders = make(map[tender]struct{})
	}
	h.tenders[t] = struct{}{}
	h.hurryLocked()
	if !h.running {
		h.running = true
		go h.run()
	}
}

func (h *housekeeper) remove(t tender) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.tenders, t)
}

// hurry ends a long interval: something is going on that no descriptor tells of.
func (h *housekeeper) hurry() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hurryLocked()
}

func (h *housekeeper) hurryLocked() {
	if !h.hurried && h.poller != nil {
		h.poller.WaitUntil(time.Unix(1, 0))
	}
	h.hurried = true
}

func (h *housekeeper) run() {
	var err error
	defer Recover(&err) // notes the panic; whoever calls next reports it
	h.begin()
	var round []tender
	for calm := false; ; {
		h.rest(calm)
		h.mu.Lock()
		if len(h.tenders) == 0 {
			h.end()
			h.mu.Unlock()
			return
		}
		round = round[:0]
		for t := range h.tenders {
			round = append(round, t)
		}
		h.hurried = false
		h.mu.Unlock()
		calm = h.poller != nil
		for _, t := range round {
			calm = t.tend(h.poller) && calm
		}
		clear(round)
	}
}

// begin makes the poller. Without a descriptor for it every interval is a short one.
func (h *housekeeper) begin() {
	poller, _ := socket.NewPoller()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.poller = poller
}

// rest waits for the next round.
func (h *housekeeper) rest(calm bool) {
	next := time.Now().Add(housekeepingInterval)
	if calm {
		h.mu.Lock()
		if !h.hurried {
			h.poller.WaitUntil(time.Now().Add(calmInterval))
		}
		h.mu.Unlock()
		h.poller.Wait()
	}
	time.Sleep(time.Until(next))
}

func (h *housekeeper) end() {
	h.running = false
	if h.poller != nil {
		h.poller.Close()
		h.poller = nil
	}
}
