// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"sync/atomic"
	"time"
)

// A message of many frames that never ends is shown by libzmq nowhere: it keeps the
// frames until the last one comes, and no limit of its own bounds them. What can be
// seen is that a connection's bytes grow and no message comes from it. It is judged by
// what it has sent since its last one, when the proxy has since had the time to take
// what was whole.

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
)

// message is what a connection has sent of a message that has not ended.
type message struct {
	read  uint64 // bytes of the connection that libzmq has read
	start uint64 // of those, the ones before the message
	ended bool   // a whole one has been taken since the last look
	quiet int    // looks since
}

func (m *message) size() uint64 { return m.read - m.start }

// unfinishedWatch looks for messages that do not end. It is under the lock of Peers, but
// for the atomic.
type unfinishedWatch struct {
	takenAll atomic.Bool // at some time since the last look
	lastLook time.Time
}

// TakenAll notes that the proxy has taken all messages that were there. It is called
// after each batch, also after an empty one.
func (p *Peers) TakenAll() { p.unfinished.takenAll.Store(true) }

// lookForUnfinished looks for messages that do not end, and cuts their connections
// off. The flows have been noted. It returns when to look again.
func (p *Peers) lookForUnfinished(now time.Time) time.Duration {
	w := &p.unfinished
	idle := uint64(idleBytes * min(now.Sub(w.lastLook), time.Second) / time.Second)
	w.lastLook = now
	allTaken := w.takenAll.Swap(false) || p.idles()
	var longest uint64
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
		switch {
		case m.size() > p.limits.unreportedMax():
			// libzmq takes in filters as long as more come, and only then tells of them.
			p.cut(peer, TooManySubscriptions)
		case m.quiet >= quietLooks && m.size() > maxSubscriptionBytes+unfinishedSlack:
			p.cut(peer, EndlessMessage)
		}
	}
	if longest > unfinishedSlack {
		return closeLookInterval
	}
	return max(lookInterval, time.Duration(len(p.peers))*lookPerPeer)
}
