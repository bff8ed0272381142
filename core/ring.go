// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"syscall"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// ring holds the events of a subscriber that nobody takes from, oldest first, in the
// blocks they came in. Whole blocks are handed on where they fit.
type ring struct {
	maxEvents int
	maxBytes  int64
	overflow  Overflow

	held   []held
	events int
	bytes  int64 // keys and payloads
	cost   int64 // the memory that the events take; maxBytes bounds this
}

type held struct {
	block *socket.Block
	first int // those before it have left
}

// push adds the events of a block, which becomes the ring's, and returns how many
// events were dropped for want of room.
func (r *ring) push(block *socket.Block) (dropped int) {
	if r.overflow == OverflowDropNewest {
		events, cost := r.events, r.cost
		block.Keep(func(i int) bool {
			_, size := block.Sizes(i, 1)
			fits := events < r.maxEvents && cost+size <= r.maxBytes
			if fits {
				events, cost = events+1, cost+size
			} else {
				dropped++
			}
			return fits
		})
	}
	if block.Len() == 0 {
		block.Release()
		return dropped
	}
	r.hold(block)
	for r.events > r.maxEvents || r.cost > r.maxBytes && r.events > 1 {
		r.skip(1)
		dropped++
	}
	return dropped
}

// hold adds a block that is not empty, whatever the bounds are.
func (r *ring) hold(block *socket.Block) {
	r.count(block, 0, block.Len(), 1)
	r.held = append(r.held, held{block: block})
}

// count takes some events in, or with -1 out.
func (r *ring) count(block *socket.Block, first, n, sign int) {
	bytes, cost := block.Sizes(first, n)
	r.events += sign * n
	r.bytes += int64(sign) * bytes
	r.cost += int64(sign) * cost
}

// skip lets go of the oldest events, which all lie in the first block.
func (r *ring) skip(n int) {
	h := &r.held[0]
	r.count(h.block, h.first, n, -1)
	if h.first += n; h.first == h.block.Len() {
		h.block.Release()
		r.shift()
	}
}

func (r *ring) shift() {
	r.held[0] = held{}
	if r.held = r.held[1:]; len(r.held) == 0 {
		r.held = nil
	}
}

// pop takes the oldest events, at least one and at most limit, as one block. The
// ring must not be empty.
func (r *ring) pop(limit int) (*socket.Block, error) {
	h := &r.held[0]
	n := min(limit, h.block.Len()-h.first)
	if h.first == 0 && n == h.block.Len() {
		block := h.block
		r.count(block, 0, n, -1)
		r.shift()
		return block, nil
	}
	block := h.block.Copy(h.first, n)
	if block == nil {
		return nil, syscall.ENOMEM
	}
	r.skip(n)
	return block, nil
}

// clear lets go of everything.
func (r *ring) clear() {
	for _, h := range r.held {
		h.block.Release()
	}
	r.held, r.events, r.bytes, r.cost = nil, 0, 0, 0
}
