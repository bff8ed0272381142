// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import "time"

const (
	// frozenAfter is for how long a subscriber's kernel must have taken nothing of what
	// waits for it. A lost packet is sent again after 200 ms at the earliest.
	frozenAfter = 250 * time.Millisecond
	// frozenLooks is at how many looks, at least: on a loaded machine two looks can be
	// as far apart as that.
	frozenLooks = 5
	// frozenLookInterval is between them.
	frozenLookInterval = 25 * time.Millisecond
	// frozenSearch is how long one CutFrozen makes it go on.
	frozenSearch = 2 * frozenAfter
	// slowAfter is for how long too much may wait although everybody takes something.
	slowAfter = time.Second
)

// progress is how far a connection's other side had come, and since when.
type progress struct {
	acked, queued uint64
	since         time.Time
	looks         int
	behind        bool   // something waited at each look of this search
	atFirst       uint64 // acked, at the first of them
	seen          bool
}

// frozenWatch looks for subscribers that take nothing. It is under the lock of Peers.
type frozenWatch struct {
	until time.Time // it looks
	began time.Time // or cut the last one off
	cut   int       // since the last CutFrozen
}

// CutFrozen makes Peers cut off subscribers that have taken nothing of what waits for
// them for a quarter of a second, or after a second of such calls the slowest of those
// that are behind. It returns how many it has cut since the last call,
// at once: it is called again and again while too much waits.
func (p *Peers) CutFrozen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.stopped {
		return 0
	}
	if now.After(p.frozen.until) {
		p.beginSearch(now)
		p.nextLook = now
		_ = p.file.SetReadDeadline(now) // wakes run
	}
	p.frozen.until = now.Add(frozenSearch)
	cut := p.frozen.cut
	p.frozen.cut = 0
	return cut
}

func (p *Peers) beginSearch(now time.Time) {
	for _, peer := range p.peers {
		peer.progress = progress{}
	}
	p.frozen.began = now
}

// lookWhetherFrozen cuts a subscriber off that has not moved for too long.
func (p *Peers) lookWhetherFrozen(peer *peer, flow flow, now time.Time) {
	last := &peer.progress
	if !last.seen {
		*last = progress{seen: true, behind: true, atFirst: flow.acked}
	}
	last.behind = last.behind && flow.queued > 0
	if flow.queued == 0 || flow.queued != last.queued || flow.acked != last.acked {
		last.acked, last.queued, last.since, last.looks = flow.acked, flow.queued, now, 1
		return
	}
	last.looks++
	if !peer.cut && last.looks >= frozenLooks && now.Sub(last.since) >= frozenAfter {
		p.cut(peer, Frozen)
		p.frozen.cut++
		p.frozen.began = now
	}
}

// cutSlowest cuts off the subscriber that has taken least, of those for which something
// has waited all the time, when nobody is frozen and still too much waits.
func (p *Peers) cutSlowest(now time.Time) {
	if now.Sub(p.frozen.began) < slowAfter {
		return
	}
	var slowest *peer
	for _, peer := range p.peers {
		if peer.cut || !peer.progress.behind || peer.progress.looks == 0 {
			continue
		}
		if slowest == nil || peer.progress.taken() < slowest.progress.taken() {
			slowest = peer
		}
	}
	if slowest != nil {
		p.cut(slowest, Slow)
		p.frozen.cut++
	}
	p.beginSearch(now)
}

func (p *progress) taken() uint64 { return p.acked - p.atFirst }
