// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// At rest, housekeeping waits for news. What nobody waits for is still done soon after.
package core_test

import (
	"context"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

const (
	// resting is long enough for housekeeping to see that nothing is going on.
	resting = 2500 * time.Millisecond
	// soon is two of its short intervals, and slack for a machine under load; a third of
	// its long one.
	soon = 300 * time.Millisecond
)

func rest(t *testing.T, s *core.Subscriber) {
	_, err := s.Get(within(t, resting))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestWhatComesAfterARestIsTakenInSoon(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	rest(t, s)
	publish(t, p, "A", "")
	assert.Eventually(t, func() bool {
		stats, err := s.Stats()
		return err == nil && stats.PendingEvents == 1
	}, soon, time.Millisecond)
}

func TestLostConnectionIsToldSoonAfterARest(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	rest(t, s)
	publishers, subscribers := p.Notices(), s.Notices()
	for _, notices := range []<-chan core.Notice{publishers, subscribers} {
		assert.Equal(t, core.NoticeConnected, (<-notices).Kind)
	}
	require.NoError(t, proxy.Close())
	over := time.After(soon)
	for _, notices := range []<-chan core.Notice{publishers, subscribers} {
		select {
		case notice := <-notices:
			assert.Equal(t, core.NoticeDisconnected, notice.Kind)
		case <-over:
			t.Error("nothing has been told")
		}
	}
}

func TestSubscriptionMadeAfterARestIsAccountedForSoon(t *testing.T) {
	proxy, uri := boundSocket(t, zmq.XPUB)
	s := newSubscriber(t, uri)
	rest(t, s)
	_, err := proxy.Recv(0) // the welcome is wanted
	require.NoError(t, err)
	require.NoError(t, s.Subscribe("A", ""))
	require.NoError(t, proxy.SetRcvtimeo(soon))
	for _, asked := range []string{"\x01A.", "\x01\xffcA.\xff"} {
		subscription, err := proxy.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, asked, subscription)
	}
}

func TestPublisherThatWaitsForBytesToLeaveGoesOnSoonAfterARest(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI(), core.MaxBytes(1<<20)), newSubscriber(t, proxy.SubURI())
	goLive(t, p, s)
	rest(t, s)
	for range 100 {
		begun := time.Now()
		sendBytes(t, p, "A.", 600_000)
		require.Less(t, time.Since(begun), soon)
	}
}

func TestQueuedEventsLeaveSoonAfterARest(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI(), core.MaxBytes(1<<20)), newSubscriber(t, proxy.SubURI())
	goLive(t, p, s)
	rest(t, s)
	sent := uint64(0)
	for publisherStats(t, p).PendingEvents == 0 {
		sendBytes(t, p, "A.", 600_000)
		sent++
	}
	assert.Eventually(t, func() bool { return proxyStats(t, proxy).Events >= sent }, soon, time.Millisecond)
}

func TestWhatATakeLeavesAfterARestIsTakenInSoon(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	for range 3 {
		rest(t, s)
		_, err := p.PublishMany(within(t, deadline), numbered(0, 5))
		require.NoError(t, err)
		get(t, s)
		assert.Eventually(t, func() bool { return stats(t, s).PendingEvents == 4 }, soon, time.Millisecond)
		for range 4 {
			get(t, s)
		}
	}
}
