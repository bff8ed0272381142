// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"sync"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// locker is the lock of a handle: Go's own, and with it the one that keeps callers in C
// from using the socket past Go. In between, Go knows what those have done, and decides
// whether they may go on.
type locker struct {
	mu     sync.Mutex
	end    end
	enter  func()            // takes in what callers in C have done
	direct func() (may bool) // tells whether they may use the socket
}

// end is a socket that callers in C share.
type end interface {
	Lock()
	Unlock(direct bool)
}

var _, _ end = (*socket.Publisher)(nil), (*socket.Subscriber)(nil)

func (l *locker) Lock() {
	l.mu.Lock()
	l.end.Lock()
	l.enter()
}

func (l *locker) Unlock() {
	l.end.Unlock(l.direct())
	l.mu.Unlock()
}
