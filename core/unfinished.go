// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

// unfinished watches a subscriber's connection for a message that does not end. libzmq
// keeps its frames until the last one comes, and no bound of its own counts them; but
// the connection's bytes grow although nothing can be taken.
type unfinished struct {
	taken uint64 // messages, when something was last taken
	start uint64 // bytes of the connection then
}

// idleBytes is what a connection may receive from one housekeeping to the next besides
// messages: an answer to a heartbeat now and then.
const idleBytes = 4

// tooLong tells whether the message that is arriving is over a limit. It is asked when
// nothing is left to be taken.
func (u *unfinished) tooLong(l *link, taken uint64, limit int64) bool {
	received, ok := l.connection.BytesReceived()
	if !ok || taken != u.taken || received < u.start {
		*u = unfinished{taken: taken, start: received}
		return false
	}
	u.start = min(u.start+idleBytes, received)
	return received-u.start > uint64(limit)
}
