// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

func TestNothingIsReceivedBeforeTheFirstSubscription(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	other := newSubscriber(t, proxy.SubURI())
	require.NoError(t, other.Subscribe("A", ""))
	goLive(t, p, other)
	publish(t, p, "A", "")
	get(t, other)
	_, err := s.Get(within(t, 0))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestUnsubscribeEndsASubscription(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	require.NoError(t, s.Subscribe("B", ""))
	goLive(t, p, s)
	require.NoError(t, s.Unsubscribe("A", ""))
	require.NoError(t, s.Unsubscribe("A", ""), "twice is fine")
	publish(t, p, "A", "")
	publish(t, p, "B", "")
	assert.Equal(t, "B", get(t, s).Name)
	require.NoError(t, s.Subscribe("A.B", ""), "the name is free again")
}

func TestAmbiguousNameIsRefusedAndTheEarlierOneStays(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	var ambiguous *core.AmbiguousError
	require.ErrorAs(t, s.Subscribe("A.B", ""), &ambiguous)
	assert.Equal(t, core.AmbiguousError{Name: "A.B", Other: "A"}, *ambiguous)
	goLive(t, p, s)
	publish(t, p, "A", "")
	assert.Equal(t, "A", get(t, s).Name)
}

func TestWhatIsNoEventIsSkippedAndCounted(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:0", core.Bind{})
	address, err := p.Address()
	require.NoError(t, err)
	s := newSubscriber(t, address)
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	before, err := s.Stats()
	require.NoError(t, err)
	// Ours cannot send a damaged key; a raw socket in tests/capi and Python can.
	big := newSubscriber(t, address, core.MaxEventBytes(10))
	require.NoError(t, big.Subscribe("A", ""))
	goLiveSmall(t, p, big)
	sendBytes(t, p, "A.", 11)
	publish(t, p, "A", "x")
	assert.Equal(t, "x", get(t, big).Topic)
	stats, err := big.Stats()
	require.NoError(t, err)
	assert.EqualValues(t, 1, stats.Dropped)
	after, err := s.Stats()
	require.NoError(t, err)
	assert.Equal(t, before.Skipped, after.Skipped)
}

// goLiveSmall is goLive for a subscriber that takes tiny events only.
func goLiveSmall(t *testing.T, p *core.Publisher, s *core.Subscriber) {
	require.Eventually(t, func() bool {
		publish(t, p, "A", "p")
		_, err := s.Get(within(t, 20*time.Millisecond))
		return err == nil
	}, deadline, time.Millisecond)
	publish(t, p, "A", "last")
	for get(t, s).Topic != "last" {
	}
}

func TestGetManyTakesWhatIsThere(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	for i := range 3 {
		publish(t, p, "A", fmt.Sprint(i))
	}
	var got []core.Event
	for len(got) < 3 {
		some, err := s.GetMany(within(t, deadline), 2)
		require.NoError(t, err)
		require.LessOrEqual(t, len(some), 2)
		got = append(got, some...)
	}
	for i, e := range got {
		assert.Equal(t, fmt.Sprint(i), e.Topic)
	}
	_, err := s.GetMany(within(t, deadline), 0)
	assert.ErrorIs(t, err, core.ErrInvalid)
}

func TestCloseEndsEveryWaitAndRange(t *testing.T) {
	s := newSubscriber(t, "tcp://127.0.0.1:1")
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			_, err := s.Get(context.Background())
			assert.ErrorIs(t, err, core.ErrClosed)
		})
	}
	group.Go(func() {
		for range s.Events(context.Background()) {
			assert.Fail(t, "there is no event")
		}
	})
	time.AfterFunc(20*time.Millisecond, func() { _ = s.Close() })
	group.Wait()
	assert.NoError(t, s.Close(), "a second close is fine")
	assert.ErrorIs(t, s.Subscribe("A", ""), core.ErrClosed)
	_, err := s.Stats()
	assert.ErrorIs(t, err, core.ErrClosed)
}

func TestRangeEndsWithItsContext(t *testing.T) {
	s := newSubscriber(t, "tcp://127.0.0.1:1")
	for range s.Events(within(t, 10*time.Millisecond)) {
		assert.Fail(t, "there is no event")
	}
}

type temperature struct {
	Kelvin float64 `cbor:"kelvin"`
}

func TestStructIsPublishedAndReceived(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("T", ""))
	goLive(t, p, s)
	event, err := core.NewEvent("T", "4K", temperature{4.2})
	require.NoError(t, err)
	require.NoError(t, p.Publish(within(t, deadline), event))
	require.NoError(t, p.Publish(within(t, deadline), core.Event{Name: "T", Frames: [][]byte{[]byte(`{"kelvin":"x"}`)}}))
	require.NoError(t, p.Publish(within(t, deadline), core.Event{Name: "T", Topic: "1K", Frames: [][]byte{[]byte(`{"kelvin":1.5}`)}}))
	var got []string
	for typed, err := range core.Values[temperature](within(t, deadline), s) {
		if err != nil {
			assert.ErrorIs(t, err, core.ErrPayload)
			assert.Contains(t, err.Error(), `"T"`)
			got = append(got, "error")
			continue
		}
		if got = append(got, fmt.Sprint(typed.Topic, typed.Value.Kelvin)); len(got) == 3 {
			break
		}
	}
	assert.Equal(t, []string{"4K4.2", "error", "1K1.5"}, got)
}

// TestHammeredSubscriberLosesNothing: goroutines subscribe, unsubscribe and take
// on one handle, and one stable subscription is counted to the last event.
func TestHammeredSubscriberLosesNothing(t *testing.T) {
	const total = 100_000
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI(), core.MaxEvents(2*total))
	require.NoError(t, s.Subscribe("N", ""))
	goLive(t, p, s)
	var seen [total]atomic.Bool
	var count atomic.Int64
	var takers, hammers sync.WaitGroup
	ctx, done := context.WithCancel(within(t, time.Minute))
	note := func(events []core.Event) {
		for _, e := range events {
			if e.Name == "N" {
				n := binary.BigEndian.Uint32(e.Frames[0])
				assert.False(t, seen[n].Swap(true), "event %d came twice", n)
				if count.Add(1) == total {
					done()
				}
			}
		}
	}
	for i := range 4 {
		takers.Go(func() {
			for {
				events, err := s.GetMany(ctx, 1+i*50)
				if isOver(err) {
					return
				}
				if !assert.NoError(t, err) {
					return
				}
				note(events)
			}
		})
	}
	for i := range 2 {
		hammers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("H%d-%d", i, n%10)
				if !assert.NoError(t, s.Subscribe(name, "")) || !assert.NoError(t, s.Unsubscribe(name, "")) {
					return
				}
			}
		})
	}
	for n := range total {
		frame := binary.BigEndian.AppendUint32(nil, uint32(n))
		require.NoError(t, p.SendFrames(ctx, [][]byte{[]byte("N."), frame}))
	}
	takers.Wait()
	done()
	hammers.Wait()
	assert.EqualValues(t, total, count.Load())
}

// inNetpoller is the number of goroutines that wait for a file descriptor.
func inNetpoller() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "[IO wait")
}

func TestWaitingSubscribersNeedNoThreadEach(t *testing.T) {
	before := threads(t)
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	const waiting = 50
	for i := range waiting {
		s := newSubscriber(t, "tcp://127.0.0.1:1")
		group.Go(func() {
			_, err := s.Get(ctx)
			assert.ErrorIs(t, err, context.Canceled)
		})
		// One after the other: what they do before they wait does need a thread.
		require.Eventually(t, func() bool { return inNetpoller() > i }, deadline, time.Millisecond)
	}
	assert.Less(t, threads(t), before+waiting/2)
	cancel()
	group.Wait()
}
