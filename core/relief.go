// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import "github.com/juicebus/juicebus/core/internal/socket"

// relief keeps what waits for slow subscribers of a proxy within bytes. libzmq's
// bound counts events; so as long as too many bytes wait, it is lowered to as many of
// the waiting events as fit. Who has more waiting loses what comes, and only that.
type relief struct {
	maxEvents int
	maxBytes  int64
	allowed   int // events; 0: maxEvents
}

// fewest events are always allowed: libzmq moves them by twos.
const fewest = 2

// note takes what waits behind a batch into account.
func (r *relief) note(batch socket.Batch, f *socket.Forwarder) error {
	waiting := int64(batch.WaitingBytes)
	if waiting <= r.maxBytes || batch.WaitingEvents == 0 {
		return nil
	}
	allowed := int(max(r.maxBytes/(waiting/int64(batch.WaitingEvents)), fewest))
	if r.allowed != 0 && allowed >= r.allowed || allowed >= r.maxEvents {
		return nil
	}
	r.allowed = allowed
	return f.SetMaxEvents(allowed)
}
