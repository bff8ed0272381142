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
		block.Keep(func(i int) bool {
			fits := r.events < r.maxEvents && r.cost+int64(block.Cost(i)) <= r.maxBytes
			if fits {
				r.count(block, i, 1)
			} else {
				dropped++
			}
			return fits
		})
	} else {
		for i := range block.Len() {
			r.count(block, i, 1)
		}
	}
	if block.Len() == 0 {
		block.Release()
		return dropped
	}
	r.held = append(r.held, held{block: block})
	for r.events > r.maxEvents || r.cost > r.maxBytes && r.events > 1 {
		r.skip(1)
		dropped++
	}
	return dropped
}

func (r *ring) count(block *socket.Block, i, sign int) {
	r.events += sign
	r.bytes += int64(sign * block.EventBytes(i))
	r.cost += int64(sign * block.Cost(i))
}

// skip lets go of the oldest events, which all lie in the first block.
func (r *ring) skip(n int) {
	h := &r.held[0]
	for range n {
		r.count(h.block, h.first, -1)
		h.first++
	}
	if h.first == h.block.Len() {
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
		for i := range n {
			r.count(block, i, -1)
		}
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
