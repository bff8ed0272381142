// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"sync"
	"time"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// unfinished watches a connection for a message that does not end. libzmq keeps its
// frames until the last one comes, and no bound of its own counts them; but the
// connection's bytes grow although nothing can be taken.
//
// Tiny frames take far more memory than they have bytes, so the process's memory is
// looked at too. But a host allocates for its own reasons, and must not lose a
// connection by that: only growth that little else explains counts.
type unfinished struct {
	taken  uint64 // messages, when something was last taken
	start  uint64 // bytes of the connection then
	close  bool   // it is being looked at closely
	memory int64  // of the process, when the message became odd
	before int64  // bytes of it that had arrived by then
	looked time.Time
}

const (
	// idleByteEach is how often a connection may receive a byte besides messages, of
	// answers to heartbeats; more often if more of those are asked for.
	idleByteEach = 10 * time.Millisecond
	// answerBytes is a little more than such an answer has.
	answerBytes = 8
	// oddBytes of a message that has not ended are worth a closer look.
	oddBytes = 64 << 10
	// closeLook is between two of those.
	closeLook = 5 * time.Millisecond
	// tinyBytes are enough to judge by memory, and tinyFactor is what tiny frames take at
	// least: an empty one 64 bytes for 2, less some.
	tinyBytes  = 16 << 20
	tinyFactor = 24
)

// look tells whether a message is arriving that is worth a closer look, or over a
// limit. It is asked when nothing is left to be taken.
func (u *unfinished) look(l *link, taken uint64, limit int64) (odd, tooLong bool) {
	received, ok := l.connection.BytesReceived()
	if !ok || taken != u.taken || received < u.start {
		u.taken, u.start = taken, received
	}
	if earliest := time.Now().Add(-calmInterval); u.looked.Before(earliest) {
		u.looked = earliest
	}
	each := idleByteEach
	if l.heartbeat > 0 {
		each = min(each, l.heartbeat/answerBytes)
	}
	idle := time.Since(u.looked) / each
	u.looked = u.looked.Add(idle * each) // what is left of a byte counts next time
	u.start = min(u.start+uint64(idle), received)
	arrived := int64(received - u.start)
	if arrived < oddBytes {
		u.memory = 0
		return false, false
	}
	if u.memory == 0 {
		u.memory, u.before = socket.ProcessMemory(), arrived
	}
	since := arrived - u.before
	tiny := since >= tinyBytes && socket.ProcessMemory()-u.memory > tinyFactor*since
	return true, arrived > limit || tiny
}

// message is what unfinished asks its owner.
type message struct {
	mu    sync.Locker // the owner's, which guards all of this
	link  *link
	limit int64
	// taken is how many messages have been taken. Not ok: there is nothing to watch now.
	taken func() (count uint64, ok bool)
}

// watch ends the connection if a message is over its limit, and begins to look closely
// at one that is odd. Under the owner's lock.
func (u *unfinished) watch(m message) {
	if u.endIfTooLong(m) && !u.close {
		u.close = true
		go u.watchClosely(m)
	}
}

func (u *unfinished) watchClosely(m message) {
	var err error
	defer Recover(&err)
	for odd := true; odd; {
		time.Sleep(closeLook)
		m.mu.Lock()
		odd = u.endIfTooLong(m)
		u.close = odd
		m.mu.Unlock()
	}
}

func (u *unfinished) endIfTooLong(m message) (odd bool) {
	taken, ok := m.taken()
	if !ok {
		return false
	}
	odd, tooLong := u.look(m.link, taken, m.limit)
	if tooLong {
		m.link.cut("a message without an end; ")
	}
	return odd && !tooLong
}
