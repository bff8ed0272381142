// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

// pace turns a bound in bytes into libzmq's, which counts events: by the running
// mean of their sizes.
type pace struct {
	maxEvents int
	maxBytes  int64
	mean      int64 // bytes of an event; the latest sixteen or so make it up
	allowed   int   // events, as last set; 0: maxEvents
}

// meanOf is how many events the running mean looks back on.
const meanOf = 16

// note takes events into account. It returns how many are to be allowed from now on,
// if that has changed by a factor of two.
func (p *pace) note(events int, bytes int64) (allowed int, changed bool) {
	if events == 0 {
		return 0, false
	}
	if p.allowed == 0 {
		p.allowed, p.mean = p.maxEvents, bytes/int64(events)
	}
	weight := int64(min(events, meanOf))
	p.mean += (bytes/int64(events) - p.mean) * weight / meanOf
	allowed = int(min(max(p.maxBytes/max(p.mean, 1), 1), int64(p.maxEvents)))
	if allowed > p.allowed/2 && allowed < p.allowed*2 {
		return 0, false
	}
	p.allowed = allowed
	return allowed, true
}

// most is how many events the socket may hold.
func (p *pace) most() int {
	if p.allowed == 0 {
		return p.maxEvents
	}
	return p.allowed
}
