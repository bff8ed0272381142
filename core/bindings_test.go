// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// What bindings use of the core: fds that they wait on, and batches in one block.

package core_test

import (
	"bytes"
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// isReadable waits for a file descriptor, which may be of a socket or none.
func isReadable(t testing.TB, fd int, timeout time.Duration) bool {
	t.Helper()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(epoll)) }()
	require.NoError(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}))
	for {
		n, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), int(timeout.Milliseconds()))
		if err != syscall.EINTR {
			require.NoError(t, err)
			return n > 0
		}
	}
}

func TestClosingMakesTheFDsReadableForGood(t *testing.T) {
	proxy := startProxy(t)
	publisher, subscriber := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	for name, one := range map[string]struct {
		handle interface{ FD() (int, error) }
		close  func()
	}{
		"publisher":  {publisher, func() { publisher.CloseWithin(0) }},
		"subscriber": {subscriber, func() { require.NoError(t, subscriber.Close()) }},
	} {
		t.Run(name, func(t *testing.T) {
			dup, err := one.handle.FD()
			require.NoError(t, err)
			defer func() { require.NoError(t, syscall.Close(dup)) }()
			one.close()
			assert.True(t, isReadable(t, dup, deadline))
			_, err = one.handle.FD()
			assert.ErrorIs(t, err, os.ErrClosed)
		})
	}
}

func TestNoticeFDIsReadableWhileANoticeWaits(t *testing.T) {
	proxy := startProxy(t)
	publisher, subscriber := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	for name, one := range map[string]interface {
		NoticeFD() (int, error)
		NextNotice() (core.Notice, bool)
	}{"publisher": publisher, "subscriber": subscriber} {
		t.Run(name, func(t *testing.T) {
			fd, err := one.NoticeFD()
			require.NoError(t, err)
			defer func() { require.NoError(t, syscall.Close(fd)) }()
			require.True(t, isReadable(t, fd, deadline), "it connects")
			notice, ok := one.NextNotice()
			require.True(t, ok)
			assert.Equal(t, core.NoticeConnected, notice.Kind)
			_, ok = one.NextNotice()
			assert.False(t, ok)
			assert.False(t, isReadable(t, fd, 0))
		})
	}
	publisher.CloseWithin(0)
	require.NoError(t, subscriber.Close())
	_, err := publisher.NoticeFD()
	assert.ErrorIs(t, err, core.ErrClosed)
	_, err = subscriber.NoticeFD()
	assert.ErrorIs(t, err, core.ErrClosed)
}

func TestProxyFDIsReadableWhileItHasKeys(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	fd, err := proxy.FD()
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(fd)) }()
	assert.False(t, isReadable(t, fd, 0))
	publish(t, p, "A", "b")
	require.True(t, isReadable(t, fd, deadline))
	keys, err := proxy.Keys()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.Equal(t, "A.b.", keys[0].Key)
	assert.False(t, isReadable(t, fd, 0))
}

func TestBatchIsOneBlockWithTheEventsBytes(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("Name", ""))
	goLive(t, p, s)
	event, err := core.NewJSONEvent("Name", "topic", map[string]string{"a": "a text to be found"})
	require.NoError(t, err)
	require.NoError(t, p.Publish(within(t, deadline), event))
	fd, err := s.FD()
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(fd)) }()
	var batch *core.Batch
	require.Eventually(t, func() bool {
		isReadable(t, fd, deadline)
		batch, err = s.TakeBatch(10)
		return err != nil || batch != nil
	}, deadline, time.Millisecond)
	require.NoError(t, err)
	assert.True(t, bytes.Contains(batch.Bytes(), event.Frames[0]))
	assert.True(t, bytes.Contains(batch.Bytes(), []byte("Name\x00topic\x00")))
	assert.Zero(t, batch.Slow())
	batch.Release()
	_, err = s.TakeBatch(0)
	assert.ErrorIs(t, err, core.ErrInvalid)
}

func TestAnEventThatCannotBeEncodedIsNone(t *testing.T) {
	_, err := core.NewEvent("A", "", make(chan int))
	assert.ErrorIs(t, err, core.ErrPayload)
	_, err = core.NewJSONEvent("A", "", math.NaN())
	assert.ErrorIs(t, err, core.ErrPayload)
}

func TestOptionsOutOfBoundsAreRefused(t *testing.T) {
	for _, option := range []core.PublisherOption{
		core.MaxEvents(-1), core.MaxEvents(math.MaxInt64), core.MaxBytes(0), core.MaxEventBytes(0),
		core.Overflow(99), core.Heartbeat(-1), core.Heartbeat(time.Hour),
	} {
		_, err := core.NewPublisher(nowhere, option)
		assert.ErrorIs(t, err, core.ErrInvalid, "%T %v", option, option)
	}
	for _, option := range []core.SubscriberOption{core.MaxEvents(0), core.OverflowBlock, core.MaxBytes(0)} {
		_, err := core.NewSubscriber(nowhere, option)
		assert.ErrorIs(t, err, core.ErrInvalid, "%T %v", option, option)
	}
	for _, option := range []core.ProxyOption{
		core.Hold(-1), core.MaxKeys(0), core.MaxSubscriptions(0), core.MaxBytes(0), core.MaxEventBytes(0),
	} {
		_, err := core.NewProxy(nowhere, nowhere, option)
		assert.ErrorIs(t, err, core.ErrInvalid, "%T %v", option, option)
	}
}
