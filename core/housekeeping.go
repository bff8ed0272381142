// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"sync"
	"time"
)

// housekeepingInterval is how old a connection's state may be, and how long what
// nobody waits for may take.
const housekeepingInterval = 100 * time.Millisecond

// housekeeping is the one goroutine of this process that does what nobody waits
// for. It lives while there is something to tend.
var housekeeping housekeeper

type tender interface{ tend() }

type housekeeper struct {
	mu      sync.Mutex
	tenders map[tender]struct{}
	running bool
}

func (h *housekeeper) add(t tender) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tenders == nil {
		h.tenders = make(map[tender]struct{})
	}
	h.tenders[t] = struct{}{}
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

func (h *housekeeper) run() {
	var err error
	defer Recover(&err) // notes the panic; whoever calls next reports it
	var round []tender
	for {
		time.Sleep(housekeepingInterval)
		h.mu.Lock()
		if len(h.tenders) == 0 {
			h.running = false
			h.mu.Unlock()
			return
		}
		round = round[:0]
		for t := range h.tenders {
			round = append(round, t)
		}
		h.mu.Unlock()
		for _, t := range round {
			t.tend()
		}
		clear(round)
	}
}
