// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// nowhere is an address that nobody listens at.
const nowhere = "tcp://127.0.0.1:1"

// runProxy runs a proxy at given addresses, until the test ends or it is closed.
func runProxy(t testing.TB, pubURI, subURI string, options ...core.ProxyOption) *core.Proxy {
	var proxy *core.Proxy
	require.Eventually(t, func() (ok bool) { // its predecessor's port may be free a moment later
		var err error
		proxy, err = core.NewProxy(pubURI, subURI, options...)
		return err == nil
	}, deadline, 10*time.Millisecond)
	go func() { _ = proxy.Run(context.Background()) }()
	t.Cleanup(func() { require.NoError(t, proxy.Close()) })
	return proxy
}

func numbered(from, to int) []core.Event {
	events := make([]core.Event, 0, to-from)
	for i := from; i < to; i++ {
		events = append(events, core.Event{Name: "A", Topic: fmt.Sprint(i), Frames: [][]byte{empty}})
	}
	return events
}

func receiveNumbered(t testing.TB, s *core.Subscriber, from, to int) {
	for i := from; i < to; i++ {
		require.Equal(t, fmt.Sprint(i), get(t, s).Topic)
	}
}

func publisherStats(t testing.TB, p *core.Publisher) core.PublisherStats {
	stats, err := p.Stats()
	require.NoError(t, err)
	return stats
}

func TestEventsWaitForTheFirstProxyInOrder(t *testing.T) {
	free := startProxy(t)
	pubURI, subURI := free.PubURI(), free.SubURI()
	require.NoError(t, free.Close())
	p := newPublisher(t, pubURI)
	sent, err := p.PublishMany(within(t, deadline), numbered(0, 1000))
	require.NoError(t, err)
	require.Equal(t, 1000, sent)
	stats := publisherStats(t, p)
	assert.EqualValues(t, 1000, stats.PendingEvents)
	assert.EqualValues(t, stats.Bytes, stats.PendingBytes)
	s := newSubscriber(t, subURI)
	require.NoError(t, s.Subscribe("A", ""))
	runProxy(t, pubURI, subURI, core.Hold(2*time.Second)) // also if this machine is busy
	receiveNumbered(t, s, 0, 1000)
	assert.Zero(t, publisherStats(t, p).PendingEvents)
}

func TestEventsOfAnOutageWaitAndArriveInOrder(t *testing.T) {
	first := startProxy(t)
	p := newPublisher(t, first.PubURI())
	s := newSubscriber(t, first.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	require.NoError(t, p.Publish(within(t, deadline), numbered(0, 1)[0]))
	receiveNumbered(t, s, 0, 1)
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool { return !publisherStats(t, p).Connected }, deadline, time.Millisecond)
	_, err := p.PublishMany(within(t, deadline), numbered(1, 5000))
	require.NoError(t, err)
	runProxy(t, first.PubURI(), first.SubURI(), core.Hold(2*time.Second))
	receiveNumbered(t, s, 1, 5000)
}

func TestFullQueueSaysThatItIsNotConnected(t *testing.T) {
	p := newPublisher(t, nowhere, core.MaxEvents(10))
	sent, err := p.PublishMany(within(t, 20*time.Millisecond), numbered(0, 11))
	assert.Equal(t, 10, sent)
	require.ErrorIs(t, err, core.ErrQueueFull)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Contains(t, err.Error(), "not connected: no proxy has answered there")
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	p := newPublisher(t, nowhere, core.MaxBytes(1000))
	big := core.Event{Name: "A", Frames: [][]byte{append([]byte{0xa1, 0x61, 'x', 0x59, 0x01, 0x90}, make([]byte, 400)...)}}
	require.NoError(t, p.Publish(within(t, deadline), big))
	require.NoError(t, p.Publish(within(t, deadline), big))
	require.ErrorIs(t, p.Publish(within(t, 10*time.Millisecond), big), core.ErrQueueFull)
	assert.EqualValues(t, 2*(406+2), publisherStats(t, p).PendingBytes)
}

func TestFullQueueDropsByItsPolicyCountsAndSaysSoOnce(t *testing.T) {
	for policy, kept := range map[core.Overflow][2]int{
		core.OverflowDropOldest: {5, 15}, core.OverflowDropNewest: {0, 10},
	} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			free := startProxy(t)
			pubURI, subURI := free.PubURI(), free.SubURI()
			require.NoError(t, free.Close())
			p := newPublisher(t, pubURI, core.MaxEvents(10), policy)
			_, err := p.PublishMany(within(t, deadline), numbered(0, 15))
			require.NoError(t, err)
			assert.EqualValues(t, 5, publisherStats(t, p).Dropped)
			notice, ok := p.NextNotice()
			require.True(t, ok)
			assert.Equal(t, core.NoticeSlow, notice.Kind)
			_, ok = p.NextNotice()
			assert.False(t, ok)
			s := newSubscriber(t, subURI)
			require.NoError(t, s.Subscribe("A", ""))
			runProxy(t, pubURI, subURI, core.Hold(2*time.Second))
			receiveNumbered(t, s, kept[0], kept[1])
		})
	}
}

func TestPublishedOnceAndClosedIsNotLost(t *testing.T) {
	proxy := startProxy(t)
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	require.NoError(t, s.Ready(within(t, deadline)))
	for i := range 20 {
		p := newPublisher(t, proxy.PubURI())
		require.NoError(t, p.Publish(within(t, deadline), numbered(i, i+1)[0]))
		require.NoError(t, p.Close(within(t, deadline)))
		receiveNumbered(t, s, i, i+1)
	}
}

func TestCloseSaysWithinASecondHowManyEventsItGivesUp(t *testing.T) {
	_, done := core.WaitClosed(deadline) // those of other tests
	require.True(t, done)
	p := newPublisher(t, nowhere)
	_, err := p.PublishMany(within(t, deadline), numbered(0, 7))
	require.NoError(t, err)
	start := time.Now()
	left, done := p.CloseWithin(time.Second)
	assert.True(t, done || time.Since(start) >= time.Second)
	assert.EqualValues(t, 7, left)
	assert.Less(t, time.Since(start), 2*time.Second)

	background := newPublisher(t, nowhere)
	require.NoError(t, background.Publish(within(t, deadline), numbered(0, 1)[0]))
	left, done = background.CloseWithin(0)
	assert.EqualValues(t, 1, left)
	assert.False(t, done)
	givenUp, done := core.WaitClosed(deadline)
	assert.True(t, done)
	assert.EqualValues(t, 1, givenUp)
	givenUp, _ = core.WaitClosed(0)
	assert.Zero(t, givenUp, "it has been told")
}

func TestPublisherGoesOnAsSoonAsTheNetworkHasTakenPart(t *testing.T) {
	const count, size, slack = 400, 400_000, 3 * time.Second
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI(), core.MaxBytes(1<<20))
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	event := core.Event{Name: "A", Frames: [][]byte{make([]byte, size)}, Unchecked: true}
	began := time.Now()
	for range count {
		require.NoError(t, p.Publish(within(t, deadline), event))
	}
	// In rounds of housekeeping it would take twice as long, on any machine.
	assert.Less(t, time.Since(began), slack)
}

func TestPublisherThatHasWaitedForRoomIsNotWokenByItForOtherReasons(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI(), core.MaxBytes(1<<20))
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	event := core.Event{Name: "A", Frames: [][]byte{make([]byte, 400_000)}, Unchecked: true}
	for range 50 {
		require.NoError(t, p.Publish(within(t, deadline), event))
	}
	require.NoError(t, p.Flush(within(t, deadline)))
	require.NoError(t, proxy.Close())
	require.Eventually(t, func() bool { return !publisherStats(t, p).Connected }, deadline, time.Millisecond)
	fd, err := p.FD()
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(fd)) }()
	require.Eventually(t, func() bool {
		_, err := p.TryPublish([]core.Event{event})
		return errors.Is(err, core.ErrQueueFull) && !isReadable(t, fd, 0)
	}, deadline, time.Millisecond)
}
