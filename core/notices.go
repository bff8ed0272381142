// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// How the notices that link.go keeps reach whoever wants them: one by one, by an fd,
// or by a channel.

package core

import (
	"context"
	"sync"
)

// Notices returns a channel of the publisher's notices, which is closed when the
// publisher is. All calls return the same channel. Its goroutine waits for the
// receiver, and meanwhile the latest 64 are kept.
func (p *Publisher) Notices() <-chan Notice {
	return p.notices.start(&p.mu, &p.link, func() bool { return p.closed })
}

// NextNotice takes the oldest unread notice, without waiting; for those who do not
// use Notices. The latest 64 are kept.
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

// Notices returns a channel of the subscriber's notices, which is closed when the
// subscriber is. All calls return the same channel. Its goroutine waits for the
// receiver, and meanwhile the latest 64 are kept.
func (s *Subscriber) Notices() <-chan Notice {
	return s.notices.start(&s.mu, &s.link, func() bool { return s.closed })
}

// NextNotice takes the oldest unread notice, without waiting; for those who do not
// use Notices. The latest 64 are kept.
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

// noticeChannel feeds a channel from a link.
type noticeChannel struct {
	once    sync.Once
	channel chan Notice
}

func (n *noticeChannel) start(mu sync.Locker, l *link, closed func() bool) <-chan Notice {
	n.once.Do(func() {
		n.channel = make(chan Notice)
		mu.Lock()
		defer mu.Unlock()
		if closed() || l.watch() != nil {
			close(n.channel)
			return
		}
		go n.feed(mu, l, closed)
	})
	return n.channel
}

func (n *noticeChannel) feed(mu sync.Locker, l *link, closed func() bool) {
	defer close(n.channel)
	var err error
	defer Recover(&err)
	for {
		var notice Notice
		var ok, over bool
		err = l.mark.Wait(context.Background(), func() (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return l.mark.Dup()
		}, func() bool {
			mu.Lock()
			defer mu.Unlock()
			if over = closed(); !over {
				notice, ok = l.next()
			}
			return ok || over
		})
		if err != nil || over {
			return
		}
		if ok {
			select {
			case n.channel <- notice:
			case <-l.closed:
				return
			}
		}
	}
}
