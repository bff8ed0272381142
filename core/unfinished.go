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
// connection's bytes grow although nothing can be taken. Small frames take far more
// memory than they have bytes, so the process's memory is looked at too.
type unfinished struct {
	taken  uint64 // messages, when something was last taken
	start  uint64 // bytes of the connection then
	memory int64  // of the process, when all was last well
	close  bool   // it is being looked at closely
}

const (
	// idleBytes is what a connection may receive between two looks besides messages: an
	// answer to a heartbeat now and then.
	idleBytes = 4
	// oddBytes of a message that has not ended are worth a closer look.
	oddBytes = 64 << 10
	// closeLook is between two of those.
	closeLook = 5 * time.Millisecond
)

// look tells whether a message is arriving that is worth a closer look, or over a
// limit. It is asked when nothing is left to be taken.
func (u *unfinished) look(l *link, taken uint64, limit int64) (odd, tooLong bool) {
	received, ok := l.connection.BytesReceived()
	if !ok || taken != u.taken || received < u.start {
		u.taken, u.start = taken, received
	}
	u.start = min(u.start+idleBytes, received)
	arrived, memory := int64(received-u.start), socket.ProcessMemory()
	if arrived < oddBytes || u.memory == 0 {
		u.memory = memory
		return false, false
	}
	return true, arrived > limit || memory-u.memory > limit/2+arrived
}

// message is what unfinished asks its owner.
type message struct {
	mu    *sync.Mutex // the owner's, which guards all of this
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
		m.link.cut("a message without an end; disconnected")
	}
	return odd && !tooLong
}
