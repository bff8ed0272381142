// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Poller waits once for any of many file descriptors, through Go's netpoller: who waits
// holds no thread. Whatever happens to one of them wakes a thread of Go's, also when
// nobody waits; so it is closed after the wait.
type Poller struct {
	fd   int
	file *os.File
	conn syscall.RawConn
}

// NewPoller makes one that watches nothing.
func NewPoller() (*Poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// os.NewFile polls an fd only if it is non-blocking.
	err = syscall.SetNonblock(fd, true)
	p := &Poller{fd: fd, file: os.NewFile(uintptr(fd), "juicebus poller")}
	if err == nil {
		p.conn, err = p.file.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(err, p.file.Close())
	}
	return p, nil
}

// Watch lets Wait end when the descriptor is readable. It is without effect on one that
// cannot be watched, or is closed.
func (p *Poller) Watch(fd int) {
	_ = syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN})
}

// WaitUntil sets until when Wait goes on, also if it has begun. Any goroutine may call it.
func (p *Poller) WaitUntil(deadline time.Time) { _ = p.file.SetReadDeadline(deadline) }

// Wait waits until a watched descriptor is readable or the time is up.
func (p *Poller) Wait() {
	var events [1]syscall.EpollEvent
	_ = p.conn.Read(func(fd uintptr) bool {
		n, _ := syscall.EpollWait(int(fd), events[:], 0)
		return n > 0
	})
}

// Close ends it. Nobody may be waiting.
func (p *Poller) Close() { _ = p.file.Close() }
