// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include <malloc.h>
import "C"

import (
	"time"
)

// libzmq may need far more memory for a message than it has bytes: 64 for an empty
// frame, which takes two. So the memory of the process is looked at too.

const (
	// tinyBytes of a message that does not end are enough to judge it by memory, and
	// tinyFactor is what tiny frames take at least: an empty one 64 bytes for 2, less
	// what others may take meanwhile.
	tinyBytes  = 2 << 20
	tinyFactor = 24
	// releaseAfter is how long libzmq may take to free a message that was cut off.
	releaseAfter = 30 * time.Millisecond
)

// CountWaiting gives Peers what tells, in any goroutine, how many bytes of what the proxy
// has taken are still in memory: that the process grows by those is no message's fault.
func (p *Peers) CountWaiting(waiting func() int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unfinished.waiting = waiting
}

// lookAtMemory cuts off the longest of the messages that do not end, if the process
// has grown by many times their bytes.
func (p *Peers) lookAtMemory(judged, longest uint64) {
	w := &p.unfinished
	grown := p.memory() - w.calmMemory
	if !p.limits.Memory || judged < tinyBytes || !w.releaseAt.IsZero() || grown <= int64(tinyFactor*judged) {
		return
	}
	for _, peer := range p.peers {
		if peer.message.quiet >= quietLooks && peer.message.size() >= longest/2 {
			p.cut(peer, EndlessMessage)
		}
	}
}

// releaseMemory gives back to the system what a message took that did not end, when
// libzmq has had the time to free it. Until then the memory of the process tells
// nothing.
func (p *Peers) releaseMemory(now time.Time) {
	w := &p.unfinished
	if !w.releaseAt.IsZero() && now.After(w.releaseAt) {
		C.malloc_trim(0)
		w.releaseAt = time.Time{}
	}
}

// noteCalm notes that no message is suspiciously long.
func (p *Peers) noteCalm() {
	if p.unfinished.releaseAt.IsZero() {
		p.unfinished.calmMemory = p.memory()
	}
}

// memory is what the process occupies for other things than messages that have been
// taken; 0 if that cannot be told.
func (p *Peers) memory() int64 {
	memory := ProcessMemory()
	if p.unfinished.waiting != nil {
		memory -= p.unfinished.waiting()
	}
	return memory
}
