// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

func TestPublishWithoutAQueueSaysAtOnceThatThereIsNoProxy(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:1", core.MaxEvents(0))
	err := p.Publish(context.Background(), core.Event{Name: "A", Frames: [][]byte{empty}})
	require.ErrorIs(t, err, core.ErrNotConnected)
	assert.Contains(t, err.Error(), `publish "A" to tcp://127.0.0.1:1`)
	assert.Contains(t, err.Error(), "no proxy has answered there")
}

func TestHostThatDoesNotResolveIsNamed(t *testing.T) {
	p := newPublisher(t, "tcp://no-such-host.invalid:5122")
	require.Eventually(t, func() bool {
		err := p.TryConnected()
		require.ErrorIs(t, err, core.ErrNotConnected)
		return strings.Contains(err.Error(), `the host "no-such-host.invalid" does not resolve`)
	}, deadline, 10*time.Millisecond)
}

func TestPublishManySendsWhatPrecedesABadEvent(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	events := make([]core.Event, 600)
	for i := range events {
		events[i] = core.Event{Name: "A", Topic: fmt.Sprint(i), Frames: [][]byte{empty}}
	}
	events[300].Frames = [][]byte{{0xff}}
	sent, err := p.PublishMany(within(t, deadline), events)
	require.ErrorIs(t, err, core.ErrPayload)
	assert.Equal(t, 300, sent)
	sent, err = p.PublishMany(within(t, deadline), events[301:])
	require.NoError(t, err)
	assert.Equal(t, 299, sent)
	for i := range events {
		if i != 300 {
			assert.Equal(t, fmt.Sprint(i), get(t, s).Topic)
		}
	}
}

func TestEventOverTheLimitIsRefusedAndTheConnectionKept(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI(), core.MaxEventBytes(100))
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	err := p.SendFrames(within(t, deadline), [][]byte{[]byte("A."), make([]byte, 99)})
	require.ErrorIs(t, err, core.ErrTooLarge)
	assert.Contains(t, err.Error(), "101 bytes, at most 100")
	publish(t, p, "A", "")
	get(t, s)
	stats, err := p.Stats()
	require.NoError(t, err)
	assert.Zero(t, stats.Reconnects)
}

func TestBadEventIsToldWithoutWaitingForAProxy(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:1")
	err := p.Publish(context.Background(), core.Event{Name: "A", Frames: [][]byte{{0xff}}})
	require.ErrorIs(t, err, core.ErrPayload)
	assert.Contains(t, err.Error(), `"A"`)
}

func TestCancelledCloseGoesOnInTheBackground(t *testing.T) {
	first, err := core.NewProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", core.Hold(time.Hour))
	require.NoError(t, err)
	go func() { _ = first.Run(context.Background()) }()
	p := newPublisher(t, first.PubURI())
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	for range 1_600 { // more than the proxy and the network between take in
		sendBytes(t, p, "A.", 64<<10)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	require.ErrorIs(t, p.Close(ctx), context.Canceled)
	require.NoError(t, first.Close())
	second, err := core.NewProxy(first.PubURI(), first.SubURI(), core.Hold(0))
	require.NoError(t, err)
	defer func() { require.NoError(t, second.Close()) }()
	go func() { _ = second.Run(context.Background()) }()
	_, done := core.WaitClosed(deadline)
	assert.True(t, done)
}

func TestSendFramesRefusesWhatIsNoKey(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:1")
	for name, frames := range map[string][][]byte{
		"no frames": nil, "no dot": {[]byte("A"), empty}, "reserved": {[]byte("\xffc."), empty},
	} {
		assert.ErrorIs(t, p.SendFrames(within(t, deadline), frames), core.ErrInvalid, name)
	}
}

func TestAnyNumberOfFramesTravels(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	for _, n := range []int{0, 1, 2, 20, 700} {
		frames := make([][]byte, n)
		for i := range frames {
			frames[i] = []byte(fmt.Sprint("frame ", i))
		}
		require.NoError(t, p.SendFrames(within(t, deadline), append([][]byte{[]byte("A.")}, frames...)))
		assert.Equal(t, frames, get(t, s).Frames)
	}
}

func TestCloseHandsOverWhatIsQueued(t *testing.T) {
	proxy := startProxy(t)
	live := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, live, s)
	const total = 50_000
	p := newPublisher(t, proxy.PubURI())
	events := make([]core.Event, total)
	for i := range events {
		events[i] = core.Event{Name: "A", Frames: [][]byte{empty}}
	}
	_, err := p.PublishMany(within(t, deadline), events)
	require.NoError(t, err)
	require.NoError(t, p.Close(within(t, deadline)))
	for got := 0; got < total; {
		some, err := s.GetMany(within(t, deadline), total)
		require.NoError(t, err)
		got += len(some)
	}
	_, done := core.WaitClosed(deadline)
	require.True(t, done)
}

func TestCloseWakesAPublisherThatWaits(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:1")
	waiting := make(chan error, 1)
	go func() { waiting <- p.WaitConnected(context.Background()) }()
	time.AfterFunc(20*time.Millisecond, func() { p.CloseWithin(0) })
	assert.ErrorIs(t, <-waiting, core.ErrClosed)
	assert.ErrorIs(t, p.Publish(context.Background(), core.Event{Name: "A", Frames: [][]byte{empty}}), core.ErrClosed)
	assert.NoError(t, p.Close(context.Background()), "a second close is fine")
	_, err := p.Stats()
	assert.ErrorIs(t, err, core.ErrClosed)
}

func TestFullQueueMakesPublishWait(t *testing.T) {
	proxy, err := core.NewProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", core.Hold(time.Hour))
	require.NoError(t, err)
	go func() { _ = proxy.Run(context.Background()) }()
	defer func() { require.NoError(t, proxy.Close()) }()
	p := newPublisher(t, proxy.PubURI(), core.MaxEvents(1))
	frame := make([]byte, 1<<20)
	for err == nil { // the proxy holds, so the pipes fill
		err = p.SendFrames(within(t, 200*time.Millisecond), [][]byte{[]byte("A."), frame})
	}
	require.ErrorIs(t, err, core.ErrQueueFull)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Contains(t, err.Error(), "the proxy does not keep up")
	stats, err := p.Stats()
	require.NoError(t, err)
	assert.Zero(t, stats.Dropped)
}

func TestBoundPublisherServesSubscribersWithoutAProxy(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:0", core.Bind{})
	address, err := p.Address()
	require.NoError(t, err)
	err = p.Publish(within(t, 20*time.Millisecond), core.Event{Name: "A", Frames: [][]byte{empty}})
	require.ErrorIs(t, err, core.ErrNotConnected)
	assert.Contains(t, err.Error(), "nobody has subscribed yet")
	s := newSubscriber(t, address)
	require.Eventually(t, func() bool { return stats(t, s).Connected }, deadline, time.Millisecond)
	err = p.Publish(within(t, 200*time.Millisecond), core.Event{Name: "A", Frames: [][]byte{empty}})
	require.ErrorIs(t, err, core.ErrNotConnected, "it has asked for no events yet")
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	publish(t, p, "A", "x")
	assert.Equal(t, "x", get(t, s).Topic)
}

func TestBoundPublisherDropsForASlowSubscriberAndCounts(t *testing.T) {
	p := newPublisher(t, "tcp://127.0.0.1:0", core.Bind{}, core.MaxEvents(1))
	address, err := p.Address()
	require.NoError(t, err)
	s := newSubscriber(t, address, core.MaxEvents(1))
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	frame := make([]byte, 1<<20)
	require.Eventually(t, func() bool {
		require.NoError(t, p.SendFrames(within(t, deadline), [][]byte{[]byte("A."), frame}))
		stats, err := p.Stats()
		require.NoError(t, err)
		return stats.Dropped > 0
	}, deadline, time.Microsecond)
}

func TestConnectionIsToldByStatsAndNotices(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	require.Eventually(t, func() bool {
		stats, err := p.Stats()
		require.NoError(t, err)
		return stats.Connected
	}, deadline, time.Millisecond)
	notice, ok := p.NextNotice()
	require.True(t, ok)
	assert.Equal(t, core.NoticeConnected, notice.Kind)
	assert.Contains(t, notice.Text, proxy.PubURI())
	require.NoError(t, proxy.Close())
	require.Eventually(t, func() bool {
		notice, ok = p.NextNotice()
		return ok && notice.Kind == core.NoticeDisconnected
	}, deadline, time.Millisecond)
	err := p.WaitConnected(within(t, 20*time.Millisecond))
	require.ErrorIs(t, err, core.ErrNotConnected)
	assert.Contains(t, err.Error(), "the connection is lost")
}

func TestPublishingOneEventAllocatesLittle(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	events := []core.Event{{Name: "A", Topic: "x", Frames: [][]byte{empty}}}
	allocations := testing.AllocsPerRun(100, func() {
		_, err := p.TryPublish(events)
		require.NoError(t, err)
	})
	assert.LessOrEqual(t, allocations, 1.0)
}

func TestPayloadMayBePartOfWhateverTheCallerHas(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	caller := &struct {
		self    any
		payload [1]byte
	}{payload: [1]byte{0xa0}}
	caller.self = caller
	for _, frames := range [][][]byte{{caller.payload[:]}, {caller.payload[:], caller.payload[:]}} {
		require.NoError(t, p.Publish(within(t, deadline), core.Event{Name: "A", Frames: frames}))
	}
}
