// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"time"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// NoticeKind is what a [Notice] is about.
type NoticeKind int

// The numbers are JUICEBUS_NOTICE_… of juicebus.h.
const (
	NoticeConnected    NoticeKind = 1 // the connection is made
	NoticeDisconnected NoticeKind = 2 // the connection is lost; a new one is tried for
	NoticeSlow         NoticeKind = 3 // a queue is full and events are dropped; once for each such time
	NoticeRefused      NoticeKind = 4 // the peer does not speak as a proxy does; it is tried again
)

// Notice tells of a change of a publisher's or subscriber's state.
type Notice struct {
	Kind NoticeKind
	Time time.Time // when it was seen, up to 0.1 s after it happened
	Text string    // what happened, to which address; for a log
}

// maxNotices is how many unread notices are kept.
const maxNotices = 64

// link is what a handle knows of its connection. Under the owner's lock.
type link struct {
	uri        string
	monitor    *socket.Monitor
	reattach   func() error  // nil for a socket that listens
	mark       *socket.Ready // readable while a notice waits; made by the first fd
	peers      int
	connected  bool
	since      time.Time         // of the latest connection
	connection socket.Connection // the latest
	reason     string            // why that is being ended, if it is
	connects   uint64
	reconnects uint64
	heartbeat  time.Duration // 0: none
	moved      uint64        // bytes of the connection, either way
	still      time.Duration // for how long those have not grown
	busy       bool          // they grew by more than signs of life in the latest round
	tended     time.Time     // the latest round
	dead       int           // rounds of housekeeping for which libzmq has not tried to connect again
	met        bool          // the latest attempt has become a connection
	refused    bool          // those who answer do not speak as a proxy does; told once
	notices    []Notice
	closed     chan struct{}
	resolving  resolving
}

func (l *link) init(monitor *socket.Monitor, uri string, heartbeat time.Duration, reattach func() error) {
	l.monitor, l.uri, l.heartbeat, l.reattach = monitor, uri, heartbeat, reattach
	l.closed = make(chan struct{})
}

// read takes what the monitor has seen.
func (l *link) read() {
	for {
		change, fd, ok := l.monitor.Next()
		if !ok {
			return
		}
		switch change {
		case socket.Attached:
			l.connection = socket.ConnectionOn(fd)
		case socket.Connected:
			l.peers++
			if l.connects++; l.connects > 1 {
				l.reconnects++
			}
			l.since, l.dead, l.met, l.refused = time.Now(), 0, true, false
			l.moved, l.still, l.reason = 0, 0, ""
			l.note(NoticeConnected, "connected to")
		case socket.Disconnected, socket.Refused:
			// A connection that fails in its handshake was never one.
			if l.peers > 0 {
				l.peers--
				l.note(NoticeDisconnected, l.reason+"disconnected from")
			}
			l.dead, l.reason = 1, ""
		case socket.Retrying:
			l.dead = 0
		}
		l.connected = l.peers > 0
	}
}

// tend is housekeeping, and for that only, as it counts the rounds. It reads, and does
// what keeps a connection alive: the end of one that is silent, the search for why
// there is none, and a new attempt where libzmq makes none. It sets itself to retry at
// once, so when it has not by the next round, it never will. A new attempt is a new
// pipe, and what waits in the old one is gone.
func (l *link) tend() (reattached bool) {
	if l.read(); l.connects == 0 {
		l.resolving.try(l.uri)
	}
	l.listen()
	if l.dead == 0 || l.reattach == nil || l.connected {
		return false
	}
	if l.dead++; l.dead <= 2 {
		return false
	}
	if !l.refused && !l.met {
		l.refused = true
		l.note(NoticeRefused, "who answers is no such side of a proxy; trying again:")
	}
	l.dead, l.met = 0, false
	return l.reattach() == nil
}

// signsOfLife is more than heartbeats and their answers are, between two rounds.
const signsOfLife = 64

// listen looks at what the connection has moved, and ends one that is silent. A round
// counts for no longer than it may take: a process that was stopped has not asked.
func (l *link) listen() {
	now := time.Now()
	longest := calmInterval
	if !l.mayBeCalm() {
		longest = housekeepingInterval
	}
	passed := min(now.Sub(l.tended), longest)
	l.tended = now
	if !l.connected || l.reattach == nil {
		return
	}
	moved, ok := l.connection.Moved()
	l.busy = moved-l.moved > signsOfLife
	if l.still += passed; !ok || moved != l.moved {
		l.moved, l.still = moved, 0
	}
	if l.heartbeat > 0 && l.still >= socket.HeartbeatsToDeath*l.heartbeat {
		l.cut("no sign of life; ")
	}
}

// calm tells whether the connection stands, has only signs of life, those in time, and
// who is at its other end is known.
func (l *link) calm() bool {
	alive := l.heartbeat == 0 || l.still < 2*l.heartbeat
	return l.mayBeCalm() && l.connected && alive && !l.busy && time.Since(l.since) > welcomeTime
}

// mayBeCalm tells whether a long interval leaves time for the heartbeats that it ends by.
func (l *link) mayBeCalm() bool { return l.heartbeat == 0 || l.heartbeat >= calmInterval }

// sending tells whether something is on its way that the other side's kernel has not
// taken.
func (l *link) sending() bool { return l.connected && l.connection.Queued() > 0 }

// cut ends a connection that libzmq holds on to. libzmq sees that, makes a new one, and
// sends through it what has waited.
func (l *link) cut(why string) {
	if l.connection.End() {
		l.reason = why
	}
}

// why says what a publisher without a connection waits for.
func (l *link) why(bind bool) string {
	if bind {
		return "nobody has subscribed yet"
	}
	if l.connects > 0 {
		return "the connection is lost"
	}
	if l.refused {
		return "who answers there is no such side of a proxy"
	}
	if reason := l.resolving.failure.Load(); reason != nil {
		return *reason
	}
	return "no proxy has answered there"
}

func (l *link) note(kind NoticeKind, what string) {
	if len(l.notices) == maxNotices {
		l.notices = l.notices[1:]
	}
	l.notices = append(l.notices, Notice{Kind: kind, Time: time.Now(), Text: what + " " + l.uri})
	if l.mark != nil {
		l.mark.Set()
	}
}

// next takes the oldest notice.
func (l *link) next() (Notice, bool) {
	l.read()
	if len(l.notices) == 0 {
		return Notice{}, false
	}
	notice := l.notices[0]
	l.notices = l.notices[1:]
	if len(l.notices) == 0 && l.mark != nil {
		l.mark.Clear()
	}
	return notice, true
}

// watch makes the mark, which from then on follows the notices.
func (l *link) watch() error {
	if l.mark != nil {
		return nil
	}
	mark, err := socket.NewMark()
	if err != nil {
		return err
	}
	if l.mark = mark; len(l.notices) > 0 {
		l.mark.Set()
	}
	return nil
}

func (l *link) fd() (int, error) {
	if err := l.watch(); err != nil {
		return 0, err
	}
	return l.mark.Dup()
}

func (l *link) close() {
	close(l.closed)
	if l.mark != nil {
		l.mark.Finish(-1)
	}
}
