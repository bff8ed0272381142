// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

func TestEventsThatNobodyTakesAreKeptUpToTheLimitsAndTheRestIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		options []core.SubscriberOption
		first   int
	}{
		"oldest go":      {[]core.SubscriberOption{core.MaxEvents(1000)}, 4000},
		"newest go":      {[]core.SubscriberOption{core.MaxEvents(1000), core.OverflowDropNewest}, 0},
		"bytes bound it": {[]core.SubscriberOption{core.MaxBytes(1)}, 4999},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := startProxy(t)
			p := newPublisher(t, proxy.PubURI())
			s := newSubscriber(t, proxy.SubURI(), c.options...)
			require.NoError(t, s.Subscribe("A", ""))
			goLive(t, p, s)
			for i := 0; i < 5000; i += 500 { // all of it fits into the socket's own queue
				_, err := p.PublishMany(within(t, deadline), numbered(i, i+500))
				require.NoError(t, err)
				require.Eventually(t, func() bool {
					now := stats(t, s)
					return now.PendingEvents+now.Dropped == uint64(i+500)
				}, deadline, time.Millisecond)
			}
			now := stats(t, s)
			assert.EqualValues(t, 5000-now.PendingEvents, now.Lost)
			assert.EqualValues(t, 1, now.Slow)
			receiveNumbered(t, s, c.first, c.first+int(now.PendingEvents))
			kinds := map[core.NoticeKind]int{}
			for notice, ok := s.NextNotice(); ok; notice, ok = s.NextNotice() {
				kinds[notice.Kind]++
			}
			assert.Equal(t, 1, kinds[core.NoticeSlow])
		})
	}
}

// What the network does not take is lost when the proxy cuts the connection off, and
// accounted for to the last event.
func TestLostAndReceivedAreWhatWasSent(t *testing.T) {
	proxy := startProxy(t, core.MaxBytes(8<<20))
	p := newPublisher(t, proxy.PubURI())
	network := newRelay(t, proxy.SubURI())
	slow := newSubscriber(t, network.uri, core.Heartbeat(0))
	fast := newSubscriber(t, proxy.SubURI())
	for _, s := range []*core.Subscriber{slow, fast} {
		require.NoError(t, s.Subscribe("A", "x")) // two filters, one of which covers the other
		require.NoError(t, s.Subscribe("A", ""))
		goLive(t, p, s)
	}
	network.hush()
	const total = 400
	frame := make([]byte, 256<<10)
	for range total {
		require.NoError(t, p.SendFrames(within(t, deadline), [][]byte{[]byte("A.x."), frame}))
		get(t, fast)
	}
	network.speak()
	received := 0
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := slow.Get(ctx); err == nil {
			received++
		}
		return stats(t, slow).Lost == int64(total-received)
	}, deadline, time.Microsecond)
	assert.Greater(t, stats(t, slow).Lost, int64(0))
	assert.Zero(t, stats(t, fast).Lost)
}

func TestOversizeEventIsCountedAsLostOnce(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI(), core.MaxEventBytes(100))
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	sendBytes(t, p, "A.", 99)
	publish(t, p, "A", "x")
	assert.Equal(t, "x", get(t, s).Topic)
	assert.EqualValues(t, 1, stats(t, s).Lost)
	assert.EqualValues(t, 1, stats(t, s).Dropped)
	// A checkpoint says no more.
	other := newSubscriber(t, proxy.SubURI())
	require.NoError(t, other.Subscribe("A", ""))
	require.NoError(t, other.Ready(within(t, deadline)))
	require.NoError(t, s.Ready(within(t, deadline)))
	assert.EqualValues(t, 1, stats(t, s).Lost)
}

func TestEventsForwardedDuringAnOutageOfTheSubscriberAreLostAndCounted(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	relay := newRelay(t, proxy.SubURI())
	s := newSubscriber(t, relay.uri)
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	publish(t, p, "A", "before")
	assert.Equal(t, "before", get(t, s).Topic)
	relay.cut()
	require.Eventually(t, func() bool { return !stats(t, s).Connected }, deadline, time.Millisecond)
	_, err := p.PublishMany(within(t, deadline), numbered(0, 123))
	require.NoError(t, err)
	require.NoError(t, p.Flush(within(t, deadline)))
	relay.mend()
	require.NoError(t, s.Ready(within(t, deadline)))
	assert.EqualValues(t, 123, stats(t, s).Lost)
	publish(t, p, "A", "after")
	assert.Equal(t, "after", get(t, s).Topic)
}

// wanderer is a subscriber whose filters and connection come and go.
type wanderer struct {
	*core.Subscriber
	network        *relay
	away           bool
	topics         map[string]bool
	sent, received int64 // of what it has subscribed to
}

func (w *wanderer) wants(topic string) bool {
	for subscribed := range w.topics {
		if subscribed == "" || subscribed == topic || strings.HasPrefix(topic, subscribed+".") {
			return true
		}
	}
	return false
}

// change subscribes to a topic, or unsubscribes if it has been subscribed to.
func (w *wanderer) change(t *testing.T, topic string) {
	if w.topics[topic] {
		delete(w.topics, topic)
		require.NoError(t, w.Unsubscribe("A", topic))
		return
	}
	w.topics[topic] = true
	require.NoError(t, w.Subscribe("A", topic))
}

// settle takes what comes until all that was sent has been received or is lost.
func (w *wanderer) settle(t *testing.T) {
	require.NoError(t, w.Ready(within(t, deadline)))
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		events, _ := w.GetMany(ctx, 1000)
		w.received += int64(len(events))
		return w.received+stats(t, w.Subscriber).Lost == w.sent
	}, deadline, time.Microsecond, "%d sent", w.sent)
}

func (w *wanderer) leave(t *testing.T) {
	w.away = true
	w.network.cut()
	require.Eventually(t, func() bool { return !stats(t, w.Subscriber).Connected }, deadline, time.Millisecond)
}

func TestLostIsExactWhateverFiltersAndConnectionsComeAndGo(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	topics := []string{"", "a", "a.b", "a.b.c", "a.b.c.d", "x", "a.b.c.d.e.f.g.h.i.j.k"}
	anyTopic := func() string { return topics[random.IntN(len(topics))] }
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	var all []*wanderer
	for range 3 {
		network := newRelay(t, proxy.SubURI())
		w := &wanderer{Subscriber: newSubscriber(t, network.uri), network: network, topics: map[string]bool{}}
		all = append(all, w)
		w.change(t, anyTopic())
		goLive(t, p, w.Subscriber)
	}
	for range 30 {
		for _, w := range all {
			if w.away && random.IntN(2) == 0 {
				w.away = false
				w.network.mend()
			}
			if w.away {
				continue
			}
			w.settle(t)
			w.change(t, anyTopic())
			require.NoError(t, w.Ready(within(t, deadline)))
			if random.IntN(3) == 0 {
				w.leave(t)
			}
		}
		var events []core.Event
		for range 50 {
			event := core.Event{Name: "A", Topic: anyTopic(), Frames: [][]byte{empty}}
			for range 1 + random.IntN(3) { // keys come in runs
				events = append(events, event)
			}
		}
		for _, w := range all {
			for _, event := range events {
				if w.wants(event.Topic) {
					w.sent++
				}
			}
		}
		_, err := p.PublishMany(within(t, deadline), events)
		require.NoError(t, err)
		require.NoError(t, p.Flush(within(t, deadline)))
	}
	for _, w := range all {
		w.network.mend()
		w.settle(t)
	}
}
