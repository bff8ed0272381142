// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// goWait is how goroutines wait on a ready fd: on a duplicate, through Go's
// netpoller, so that a waiting goroutine holds no thread.
//
// One os.File has one reader lock and one deadline. So one goroutine at a time,
// the one that holds the turn, waits on the file; the others wait for the turn
// and for their own context.
type goWait struct {
	turn     chan struct{}
	finished chan struct{}
	mu       sync.Mutex // guards file against close
	file     *os.File   // made by the first wait
}

func newGoWait() goWait {
	return goWait{turn: make(chan struct{}, 1), finished: make(chan struct{})}
}

// Wait calls attempt until it returns true: now, and whenever the fd becomes
// readable. It returns early with the context's error. A finished Ready ends it
// without an error: attempt finds out by itself. dup is Dup under the owner's
// lock, or an error once that is closed. Unlike the rest of Ready, Wait is called
// without the lock; attempt and dup take it themselves.
func (r *Ready) Wait(ctx context.Context, dup func() (int, error), attempt func() bool) error {
	if attempt() {
		return nil
	}
	w := &r.wait
	select {
	case w.turn <- struct{}{}:
		defer w.pass()
	case <-w.finished:
		attempt()
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	file, err := w.open(dup)
	if err != nil {
		return w.lastAttempt(ctx, err, attempt)
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	expired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = file.SetReadDeadline(time.Unix(1, 0))
		close(expired)
	})
	// In the netpoller the fd is edge-triggered, so the callback takes; a look
	// that left the event there would wait for an edge that has passed.
	err = conn.Read(func(uintptr) bool { return attempt() })
	if !stop() {
		<-expired
		_ = file.SetReadDeadline(time.Time{})
	}
	if err == nil {
		return nil
	}
	return w.lastAttempt(ctx, err, attempt)
}

// lastAttempt says why a wait has ended: the Ready is finished, which attempt
// finds out, or the context is over, which shows in the file as a deadline.
func (w *goWait) lastAttempt(ctx context.Context, err error, attempt func() bool) error {
	select {
	case <-w.finished:
		attempt()
		return nil
	default:
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// open makes the file. Only the holder of the turn calls it. dup takes the
// owner's lock, which close is called under, so mu is not held over it.
func (w *goWait) open(dup func() (int, error)) (*os.File, error) {
	if w.file != nil { // only the holder of the turn writes it
		return w.file, nil
	}
	fd, err := dup()
	if err != nil {
		return nil, err
	}
	// os.NewFile polls an fd only if it is non-blocking.
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "juicebus ready")
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.finished:
		_ = file.Close()
	default:
		w.file = file
	}
	return file, nil
}

// close wakes whoever waits. It is called under the owner's lock, which attempt
// takes; and closing a file waits for its reader. So a file that is being read is
// closed by its reader, in pass.
func (w *goWait) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.finished)
	if w.file == nil {
		return
	}
	select {
	case w.turn <- struct{}{}:
		_ = w.file.Close()
		<-w.turn
	default:
		_ = w.file.SetReadDeadline(time.Unix(1, 0))
	}
}

// pass gives the turn to the next, and closes the file if there will be none.
func (w *goWait) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	<-w.turn
	select {
	case <-w.finished:
		if w.file != nil {
			_ = w.file.Close()
		}
	default:
	}
}
