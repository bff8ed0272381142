// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"fmt"
	"time"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// NoticeKind is what a [Notice] is about.
type NoticeKind int

// The numbers are JUICEBUS_NOTICE_… of juicebus.h.
const (
	NoticeConnected    NoticeKind = 1 // the connection is made
	NoticeDisconnected NoticeKind = 2 // the connection is lost; a new one is tried for
)

// Notice tells of a change of a publisher's or subscriber's connection.
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
	mark       *socket.Ready // readable while a notice waits; made by the first fd
	peers      int
	connected  bool
	connects   uint64
	reconnects uint64
	notices    []Notice
	resolving  resolving
}

func (l *link) init(monitor *socket.Monitor, uri string) { l.monitor, l.uri = monitor, uri }

// read takes what the monitor has seen.
func (l *link) read() {
	for {
		change, _, ok := l.monitor.Next()
		if !ok {
			return
		}
		switch change {
		case socket.Connected:
			l.peers++
			if l.connects++; l.connects > 1 {
				l.reconnects++
			}
			l.note(NoticeConnected, "connected to")
		case socket.Disconnected:
			// A connection that fails in its handshake was never one.
			if l.peers > 0 {
				l.peers--
				l.note(NoticeDisconnected, "disconnected from")
			}
		}
		l.connected = l.peers > 0
	}
}

// tend is read, and the search for why there is no connection.
func (l *link) tend() {
	if l.read(); l.connects == 0 {
		l.resolving.try(l.uri)
	}
}

// why says what a publisher without a connection waits for.
func (l *link) why(bind bool) string {
	if bind {
		return "nobody has subscribed yet"
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
	l.notices = append(l.notices, Notice{Kind: kind, Time: time.Now(), Text: fmt.Sprintf("%s %s", what, l.uri)})
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

func (l *link) fd() (int, error) {
	if l.mark == nil {
		mark, err := socket.NewMark()
		if err != nil {
			return 0, err
		}
		if l.mark = mark; len(l.notices) > 0 {
			l.mark.Set()
		}
	}
	return l.mark.Dup()
}

func (l *link) close() {
	if l.mark != nil {
		l.mark.Finish(-1)
	}
}

// NextNotice takes the oldest unread notice, without waiting. The latest 64 are
// kept.
func (p *Publisher) NextNotice() (Notice, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return Notice{}, false
	}
	return p.link.next()
}

// NoticeFD returns a file descriptor that is readable while a notice waits, and
// for good once the publisher is closed. It is the caller's to close.
func (p *Publisher) NoticeFD() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, p.failure("ask notices of", ErrClosed)
	}
	return p.link.fd()
}

// NextNotice takes the oldest unread notice, without waiting. The latest 64 are
// kept.
func (s *Subscriber) NextNotice() (Notice, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Notice{}, false
	}
	return s.link.next()
}

// NoticeFD returns a file descriptor that is readable while a notice waits, and
// for good once the subscriber is closed. It is the caller's to close.
func (s *Subscriber) NoticeFD() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, s.failure("ask notices of", ErrClosed)
	}
	return s.link.fd()
}
