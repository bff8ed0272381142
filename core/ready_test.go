// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// legacyProxy is what a fleet has today: SUB and PUB, and no word but events.
func legacyProxy(t testing.TB) (pubURI, subURI string) {
	context, err := zmq.NewContext()
	require.NoError(t, err)
	listen := func(kind zmq.Type) (*zmq.Socket, string) {
		s, err := context.NewSocket(kind)
		require.NoError(t, err)
		require.NoError(t, s.SetLinger(0))
		require.NoError(t, s.Bind("tcp://127.0.0.1:*"))
		uri, err := s.GetLastEndpoint()
		require.NoError(t, err)
		return s, uri
	}
	in, pubURI := listen(zmq.SUB)
	require.NoError(t, in.SetSubscribe(""))
	out, subURI := listen(zmq.PUB)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = zmq.Proxy(in, out, nil)
		_ = in.Close()
		_ = out.Close()
	}()
	t.Cleanup(func() {
		require.NoError(t, context.Term())
		<-ended
	})
	return pubURI, subURI
}

func TestEverySubscriptionIsLiveWhenReady(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	for i := range 50 {
		s := newSubscriber(t, proxy.SubURI())
		for range 2 { // the second one on a connection that is there
			topic := fmt.Sprint(i, "-", time.Now().UnixNano())
			require.NoError(t, s.Subscribe("A", topic))
			require.NoError(t, s.Ready(within(t, deadline)))
			publish(t, p, "A", topic)
			require.Equal(t, topic, get(t, s).Topic)
		}
	}
}

func TestReadyKeepsTheEventsThatItMeets(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	_, err := p.PublishMany(within(t, deadline), numbered(0, 3000))
	require.NoError(t, err)
	require.NoError(t, s.Subscribe("B", ""))
	require.NoError(t, s.Ready(within(t, deadline)))
	receiveNumbered(t, s, 0, 3000)
}

func TestReadyIsAskedAnewBehindANewProxy(t *testing.T) {
	first := startProxy(t)
	s := newSubscriber(t, first.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	require.NoError(t, s.Ready(within(t, deadline)))
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool { return !stats(t, s).Connected }, deadline, time.Millisecond)
	ctx := within(t, 50*time.Millisecond)
	err := s.Ready(ctx)
	require.ErrorIs(t, err, core.ErrUnanswered)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	second := runProxy(t, first.PubURI(), first.SubURI(), core.Hold(0))
	require.NoError(t, s.Ready(within(t, deadline)))
	p := newPublisher(t, second.PubURI())
	publish(t, p, "A", "x")
	assert.Equal(t, "x", get(t, s).Topic)
}

func TestLegacyProxyConfirmsNothing(t *testing.T) {
	pubURI, subURI := legacyProxy(t)
	s := newSubscriber(t, subURI)
	require.NoError(t, s.Subscribe("A", ""))
	start := time.Now()
	require.ErrorIs(t, s.Ready(within(t, deadline)), core.ErrUnconfirmed)
	assert.Less(t, time.Since(start), 2*time.Second)
	assert.EqualValues(t, -1, stats(t, s).Lost)
	p := newPublisher(t, pubURI)
	publish(t, p, "A", "x")
	require.ErrorIs(t, p.Flush(within(t, deadline)), core.ErrUnconfirmed)
	goLive(t, p, s)
	publish(t, p, "A", "y")
	for get(t, s).Topic != "y" { // "x" may come first
	}
}

func TestFlushedEventsHaveReachedTheProxy(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	for i := range 20 {
		_, err := p.PublishMany(within(t, deadline), numbered(0, 1000))
		require.NoError(t, err)
		require.NoError(t, p.Flush(within(t, deadline)))
		// Counted with the answer's batch at the latest, told a moment later.
		require.Eventually(t, func() bool {
			s, err := proxy.Stats()
			require.NoError(t, err)
			return s.Events == uint64(1000*(i+1))
		}, deadline, time.Millisecond)
		assert.Zero(t, publisherStats(t, p).Unconfirmed)
	}
}

func TestFlushTellsOnceOfALostConnection(t *testing.T) {
	first := startProxy(t)
	p := newPublisher(t, first.PubURI())
	publish(t, p, "A", "")
	require.NoError(t, p.Flush(within(t, deadline)))
	_, err := p.PublishMany(within(t, deadline), numbered(0, 10))
	require.NoError(t, err)
	assert.EqualValues(t, 10, publisherStats(t, p).Unconfirmed)
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool { return !publisherStats(t, p).Connected }, deadline, time.Millisecond)
	runProxy(t, first.PubURI(), first.SubURI(), core.Hold(0))
	err = p.Flush(within(t, deadline))
	require.ErrorIs(t, err, core.ErrUnconfirmed)
	assert.Contains(t, err.Error(), "up to 10 events")
	publish(t, p, "A", "")
	require.NoError(t, p.Flush(within(t, deadline)))
	assert.EqualValues(t, 10, publisherStats(t, p).Unconfirmed, "nobody knows about those")
}

func stats(t testing.TB, s *core.Subscriber) core.SubscriberStats {
	stats, err := s.Stats()
	require.NoError(t, err)
	return stats
}
