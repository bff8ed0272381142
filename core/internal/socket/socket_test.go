// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestZmq4KeepsItsSocketWhereWeReadIt(t *testing.T) {
	require.NoError(t, checkPointer())
	s, err := create(zmq.PAIR, "", func(*zmq.Socket) error { return nil })
	require.NoError(t, err)
	assert.NotNil(t, pointer(s))
	require.NoError(t, s.Close())
	assert.Nil(t, pointer(s), "a closed socket has none, so this is the field")
}

func TestReadyIsReadableWhileMarkedAndForGoodWhenFinished(t *testing.T) {
	r, err := NewMark()
	require.NoError(t, err)
	fd, err := r.Dup()
	require.NoError(t, err)
	file := os.NewFile(uintptr(fd), "ready")
	defer func() { require.NoError(t, file.Close()) }()
	assert.False(t, readable(t, fd))
	r.Set()
	r.Set()
	assert.True(t, readable(t, fd))
	r.Clear()
	assert.False(t, readable(t, fd))
	r.Finish(-1)
	r.Clear()
	assert.True(t, readable(t, fd), "the duplicate outlives the Ready")
}

// wait tells whether a Wait of so long ended before its time.
func wait(p *Poller, limit time.Duration) (early bool) {
	deadline := time.Now().Add(limit)
	p.WaitUntil(deadline)
	p.Wait()
	return time.Now().Before(deadline)
}

func TestPollerTellsWhenAnyOfItsDescriptorsIsReadable(t *testing.T) {
	poller, err := NewPoller()
	require.NoError(t, err)
	defer poller.Close()
	poller.Watch(int(^uint32(0) >> 1)) // there is none of that number
	for range 2 {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		poller.Watch(int(r.Fd()))
		assert.False(t, wait(poller, 10*time.Millisecond), "nothing has been written")
		_, err = w.Write([]byte{0})
		require.NoError(t, err)
		assert.True(t, wait(poller, time.Minute))
		require.NoError(t, errors.Join(r.Close(), w.Close()))
	}
}

func TestWaitOfAPollerCanBeEndedByOthers(t *testing.T) {
	poller, err := NewPoller()
	require.NoError(t, err)
	defer poller.Close()
	poller.WaitUntil(time.Now().Add(time.Minute))
	go poller.WaitUntil(time.Unix(1, 0))
	poller.Wait()
}

func TestFDOfAnEndIsOpenWhileSomebodyHoldsIt(t *testing.T) {
	s, err := OpenSubscriber("tcp://127.0.0.1:1", nil, 1, 1, 0)
	require.NoError(t, err)
	waiter := s.end // as a caller in C does
	waiter.c.holders++
	fd := int(waiter.c.ready.epoll_fd)
	s.Lock()
	s.Close()
	s.Unlock(true)
	assert.True(t, readable(t, fd))
	waiter.release()
	var stat syscall.Stat_t
	assert.ErrorIs(t, syscall.Fstat(fd, &stat), syscall.EBADF)
}

// TestWaitLosesNoWakeUp: several goroutines wait for what others add one by one.
// Whoever finds something takes one and leaves the mark if there is more.
func TestWaitLosesNoWakeUp(t *testing.T) {
	const total, waiters = 20_000, 4
	r, err := NewMark()
	require.NoError(t, err)
	var mu sync.Mutex
	there, taken, closed := 0, 0, false
	dup := func() (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if closed {
			return 0, os.ErrClosed
		}
		return r.Dup()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var group sync.WaitGroup
	for range waiters {
		group.Go(func() {
			for done := false; !done; {
				err := r.Wait(ctx, dup, func() bool {
					mu.Lock()
					defer mu.Unlock()
					switch {
					case there > 0:
						there--
						taken++
						if there == 0 {
							r.Clear()
						}
						return true
					case closed:
						done = true
						return true
					}
					r.Clear()
					return false
				})
				if !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	for range total {
		mu.Lock()
		there++
		r.Set()
		mu.Unlock()
	}
	assert.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return taken == total }, 30*time.Second, time.Millisecond)
	mu.Lock()
	closed = true
	r.Finish(-1)
	mu.Unlock()
	group.Wait()
}

func TestWaitEndsWithItsContext(t *testing.T) {
	r, err := NewMark()
	require.NoError(t, err)
	never := func() bool { return false }
	for range 3 { // the deadline of one wait must not end the next
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		require.ErrorIs(t, r.Wait(ctx, r.Dup, never), context.DeadlineExceeded)
		cancel()
	}
	go r.Set()
	calls := 0
	require.NoError(t, r.Wait(t.Context(), r.Dup, func() bool { calls++; return calls > 1 }))
	r.Finish(-1)
}

// readable polls a file descriptor, through the netpoller's own system call.
func readable(t *testing.T, fd int) bool {
	t.Helper()
	events := make([]syscall.EpollEvent, 1)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(epoll)) }()
	require.NoError(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}))
	n, err := syscall.EpollWait(epoll, events, 0)
	require.NoError(t, err)
	return n > 0
}
