// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"runtime"
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

// tender is what there is to tend.
type tender interface {
	// tend does what is to be done, and tells whether nothing is going on.
	tend() (calm bool)
	// watch lets a poller tell when something is.
	watch(poller *socket.Poller)
}

type housekeeper struct {
	mu      sync.Mutex
	tenders map[tender]struct{}
	running bool
	poller  *socket.Poller // that it rests on
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
	// On one thread, as the C library keeps up to 2 MB for each thread that allocates
	// there; else those would be as many as Go ever needed at one time.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var err error
	defer Recover(&err) // notes the panic; whoever calls next reports it
	var round []tender
	for calm := false; ; {
		h.rest(round, calm)
		h.mu.Lock()
		if len(h.tenders) == 0 {
			h.running = false
			h.mu.Unlock()
			return
		}
		clear(round)
		round = round[:0]
		for t := range h.tenders {
			round = append(round, t)
		}
		h.hurried = false
		h.mu.Unlock()
		calm = true
		for _, t := range round {
			calm = t.tend() && calm
		}
	}
}

// rest waits for the next round.
func (h *housekeeper) rest(round []tender, calm bool) {
	next := time.Now().Add(housekeepingInterval)
	if calm {
		h.awaitNews(round)
	}
	time.Sleep(time.Until(next))
}

// awaitNews waits until something happens to one of those who were tended. Without a
// descriptor to wait on it does not.
func (h *housekeeper) awaitNews(round []tender) {
	poller, err := socket.NewPoller()
	if err != nil {
		return
	}
	for _, t := range round {
		t.watch(poller)
	}
	poller.WaitUntil(time.Now().Add(calmInterval))
	if h.restOn(poller) {
		poller.Wait()
	}
	h.restOn(nil)
	poller.Close()
}

// restOn lets others hurry it. It returns whether nobody has.
func (h *housekeeper) restOn(poller *socket.Poller) (calm bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.poller = poller
	return !h.hurried
}
