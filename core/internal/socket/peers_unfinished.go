// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"sync/atomic"
	"time"
)

// A message of many frames that never ends is shown by libzmq nowhere: it keeps the
// frames until the last one comes, and no limit of its own bounds them. What can be
// seen is that a connection's bytes grow and no message comes from it.
//
// Which connection a message is from costs to ask, so the proxy only says how many
// bytes it took, until that is clearly less than what all connections have sent. Then
// Suspects says so, and the proxy tells once a batch of each connection that messages
// came from. A
// connection is judged by what it has sent since its last one, when the proxy has
// since had the time to take what was whole. Next: peers_memory.go.

const (
	// lookInterval is between two looks at few connections, when nothing is wrong. Memory
	// can grow by 1 MB in a millisecond.
	lookInterval = 25 * time.Millisecond
	// lookPerPeer is what it becomes with many. A look at one takes about 1 µs.
	lookPerPeer = time.Millisecond / 4
	// closeLookInterval is between two looks while a message may not end.
	closeLookInterval = 5 * time.Millisecond

	// unfinishedSlack is how much may be on its way without being suspicious.
	unfinishedSlack = 64 << 10
	// quietLooks is for how many looks a connection has sent no whole message when it
	// is judged. Two: what was read just before the first may come after it.
	quietLooks = 2
	// idleBytes is what a connection may send in a second besides messages: heartbeats.
	idleBytes = 256
	// oddBytes is how much of a message may be on its way when all is well again.
	oddBytes = 1 << 10
	// trustAfter is how long all must be well until suspicion ends. What is sent before
	// it begins is not counted, so it must not begin often.
	trustAfter = 10 * time.Minute
)

// message is what a connection has sent of a message that has not ended.
type message struct {
	read  uint64 // bytes of the connection that libzmq has read
	grown uint64 // of those, the ones since the look before
	start uint64 // of those, the ones before the message
	ended bool   // a whole one has been taken since the last look
	quiet int    // looks since
}

func (m *message) size() uint64 { return m.read - m.start }

// unfinishedWatch looks for messages that do not end. The atomics are for the proxy's
// goroutine, all else is under the lock of Peers.
type unfinishedWatch struct {
	suspicious  atomic.Bool
	takenBytes  atomic.Uint64
	takenEvents atomic.Int64
	takenAll    atomic.Bool // at some time since the last look

	waiting     func() int64 // see CountWaiting
	lastLook    time.Time
	unaccounted uint64    // bytes that were read and not taken, while nothing is suspected
	calmMemory  int64     // before there was something to suspect
	releaseAt   time.Time // when memory is given back to the system; zero: it has been
	lastOdd     time.Time
}

// Taken notes that the proxy has taken so many messages from the socket, of so many
// bytes on the wire, and whether it left none behind. It is called after each batch,
// also after an empty one.
func (p *Peers) Taken(messages int, wireBytes uint64, all bool) {
	w := &p.unfinished
	w.takenBytes.Add(wireBytes)
	w.takenEvents.Add(int64(messages))
	if all {
		w.takenAll.Store(true)
	}
}

// Suspects tells whether Came is to be called for the connections of small messages too.
func (p *Peers) Suspects() bool { return p.unfinished.suspicious.Load() }

// Came notes that a whole message was taken that a connection has sent.
func (p *Peers) Came(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if peer := p.peers[fd]; peer != nil {
		peer.message.ended = true
	}
}

// wireBytes is what a frame takes on the wire.
func wireBytes(frame int) uint64 {
	if frame > 255 {
		return uint64(frame) + 9
	}
	return uint64(frame) + 2
}

// lookForUnfinished looks for messages that do not end, and cuts their connections
// off. The flows have been noted. It returns when to look again.
func (p *Peers) lookForUnfinished(now time.Time) time.Duration {
	w := &p.unfinished
	idle := uint64(idleBytes * min(now.Sub(w.lastLook), time.Second) / time.Second)
	w.lastLook = now
	// Each connection with a whole message has had its turn.
	hadTurn := w.takenEvents.Swap(0) > int64(len(p.peers))
	allTaken := w.takenAll.Swap(false) || hadTurn || p.idles()
	taken := w.takenBytes.Swap(0)
	if !w.suspicious.Load() {
		return p.account(taken, idle, now)
	}
	var longest, judged, longestJudged uint64
	for _, peer := range p.peers {
		m := &peer.message
		m.start = min(m.start+idle, m.read)
		switch {
		case m.ended:
			*m = message{read: m.read, start: m.read}
		case allTaken:
			m.quiet++
		}
		if peer.cut {
			continue
		}
		longest = max(longest, m.size())
		if p.limits.OnlyFilters && m.size() > p.limits.unreportedMax() {
			// libzmq takes in filters as long as more come, and only then tells of them.
			p.cut(peer, TooManySubscriptions)
		}
		if m.quiet < quietLooks {
			continue
		}
		judged += m.size()
		longestJudged = max(longestJudged, m.size())
		if m.size() > uint64(p.limits.MessageBytes+p.limits.MessageBytes/8+unfinishedSlack) {
			p.cut(peer, EndlessMessage)
		}
	}
	if longest > oddBytes {
		w.lastOdd = now
	}
	if now.Sub(w.lastOdd) > trustAfter {
		w.suspicious.Store(false)
	}
	if p.releaseMemory(now); longest <= unfinishedSlack {
		p.noteCalm()
		return p.calmInterval()
	}
	if judged > unfinishedSlack {
		p.lookAtMemory(judged, longestJudged)
	}
	return closeLookInterval
}

func (p *Peers) calmInterval() time.Duration {
	return max(lookInterval, time.Duration(len(p.peers))*lookPerPeer)
}

// account adds what was read and takes away what was taken. If too much is left, the
// search for where it comes from begins.
func (p *Peers) account(taken, idle uint64, now time.Time) time.Duration {
	w := &p.unfinished
	for _, peer := range p.peers {
		w.unaccounted += peer.message.grown
		taken += idle
	}
	w.unaccounted -= min(w.unaccounted, taken)
	if w.unaccounted <= unfinishedSlack {
		p.noteCalm()
		return p.calmInterval()
	}
	for _, peer := range p.peers {
		m := &peer.message
		*m = message{read: m.read, start: m.read - min(m.grown, w.unaccounted)}
	}
	w.unaccounted = 0
	w.lastOdd = now
	w.suspicious.Store(true)
	return closeLookInterval
}
