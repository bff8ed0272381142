// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// account compares, for one of a subscriber's disjoint filters, what the proxy says
// it has forwarded with what has come. The proxy's word comes in a checkpoint, at its
// place among the events, so that the difference is exact: it is what has been lost
// on the way.
type account struct {
	asked  bool          // for checkpoints
	sorted socket.Filter // counts the events under this filter that were sorted in C
	came   uint64        // and this the others
	begun  bool
	first  control.Checkpoint // what counts, counts from here on
	then   uint64             // how many had come at the first checkpoint
	lost   uint64             // between first and the latest checkpoint
}

// settle takes a checkpoint in. It returns what had been lost before, if the proxy
// has begun to count anew and with it the account.
func (a *account) settle(c control.Checkpoint) (before uint64) {
	if !a.begun || c.Identity != a.first.Identity || c.Era != a.first.Era {
		before, a.lost = a.lost, 0
		a.begun, a.first, a.then = true, c, a.all()
		return before
	}
	// Both are differences of counters that only grow.
	forwarded, came := c.Count-a.first.Count, a.all()-a.then
	if forwarded > came {
		a.lost = forwarded - came
	}
	return 0
}

// all is how many events have come.
func (a *account) all() uint64 { return a.came + a.sorted.Came() }

// lost is what this subscriber will never get: what the accounts miss, those that
// have ended included, and what came and was dropped here.
func (s *Subscriber) lost() int64 {
	if !s.counting {
		return -1
	}
	lost := s.lostBefore + s.stats.Dropped
	for _, filter := range s.filters.Disjoint() {
		lost += filter.Value.lost
	}
	return int64(lost)
}
