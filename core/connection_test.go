// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// heartbeat is so short that a silent connection is found dead soon.
var heartbeat = core.Heartbeat(100 * time.Millisecond)

// behindRelays opens a publisher and a subscriber of A, each behind a network of its own,
// and waits until both are live.
func behindRelays(t *testing.T) (p *core.Publisher, s *core.Subscriber, toPub, toSub *relay) {
	proxy := startProxy(t)
	toPub, toSub = newRelay(t, proxy.PubURI()), newRelay(t, proxy.SubURI())
	p, s = newPublisher(t, toPub.uri, heartbeat), newSubscriber(t, toSub.uri, heartbeat)
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	return p, s, toPub, toSub
}

func TestSilentConnectionIsFoundDeadAndMadeAnew(t *testing.T) {
	p, s, toPub, toSub := behindRelays(t)
	toPub.hush()
	toSub.hush()
	require.Eventually(t, func() bool {
		return !publisherStats(t, p).Connected && !stats(t, s).Connected
	}, deadline, time.Millisecond)
	toPub.speak()
	toSub.speak()
	goLive(t, p, s)
	publish(t, p, "A", "again")
	for get(t, s).Topic != "again" {
	}
}

func TestSocketAtTheWrongPortIsToldAndIsNotDeafForEver(t *testing.T) {
	// Both of these are refused by the peer's kind.
	first := startProxy(t)
	s := newSubscriber(t, first.PubURI())
	require.NoError(t, s.Subscribe("A", ""))
	notice := core.Notice{}
	require.Eventually(t, func() (ok bool) {
		notice, ok = s.NextNotice()
		return ok && notice.Kind == core.NoticeRefused
	}, deadline, time.Millisecond)
	assert.Contains(t, notice.Text, first.PubURI())
	require.NoError(t, first.Close())
	// Now the right side of a proxy listens there.
	second := runProxy(t, "tcp://127.0.0.1:0", first.PubURI(), core.Hold(0))
	p := newPublisher(t, second.PubURI())
	require.NoError(t, s.Ready(within(t, deadline)))
	publish(t, p, "A", "x")
	assert.Equal(t, "x", get(t, s).Topic)
}

func TestOversizeFrameFromAProxyDoesNotMakeASubscriberDeaf(t *testing.T) {
	hostile, err := zmq.NewSocket(zmq.PUB)
	require.NoError(t, err)
	require.NoError(t, hostile.SetLinger(0))
	require.NoError(t, hostile.SetSndhwm(0))
	require.NoError(t, hostile.Bind("tcp://127.0.0.1:*"))
	defer func() { require.NoError(t, hostile.Close()) }()
	uri, err := hostile.GetLastEndpoint()
	require.NoError(t, err)
	s := newSubscriber(t, uri)
	require.NoError(t, s.Subscribe("A", ""))
	require.Eventually(t, func() bool {
		_, err := hostile.SendMessage("A.first.", empty)
		require.NoError(t, err)
		ctx := within(t, 10*time.Millisecond)
		_, err = s.Get(ctx)
		return err == nil
	}, deadline, time.Millisecond)
	_, err = hostile.SendMessage("A.", make([]byte, core.DefaultMaxEventBytes+core.DefaultMaxEventBytes/4+1))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := hostile.SendMessage("A.again.", empty)
		require.NoError(t, err)
		e, err := s.Get(within(t, 10*time.Millisecond))
		return err == nil && e.Topic == "again"
	}, deadline, time.Millisecond)
	assert.NotZero(t, stats(t, s).Reconnects)
}

func TestNoticesComeThroughAChannelThatEndsWithItsOwner(t *testing.T) {
	proxy := startProxy(t)
	s := newSubscriber(t, proxy.SubURI())
	notices := s.Notices()
	assert.Equal(t, core.NoticeConnected, (<-notices).Kind)
	require.NoError(t, proxy.Close())
	assert.Equal(t, core.NoticeDisconnected, (<-notices).Kind)
	require.NoError(t, s.Close())
	for range notices { // the channel is closed
	}
}

// greeting is that of ZMTP 3.0, NULL.
var greeting = append([]byte("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL"), make([]byte, 48)...)

// libzmq ends the process by an assertion if a heartbeat falls due on a connection that
// has broken after something came that a closing socket did not want.
func TestProxyThatDiesWhileAPublisherClosesEndsNoProcess(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := newPublisher(t, "tcp://"+listener.Addr().String(), heartbeat)
	conn, err := listener.Accept()
	require.NoError(t, err)
	_, err = conn.Write(append(greeting, "\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04XSUB"...))
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, len(greeting)))
	require.NoError(t, err)
	subscription := []byte("\x00\x01\x01")
	_, err = conn.Write(subscription)
	require.NoError(t, err)
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	for range 40 { // of 1 MiB, which nobody reads
		sendBytes(t, p, "A.", 1<<20)
	}
	const closing = time.Second
	closed := make(chan uint64)
	go func() {
		left, _ := p.CloseWithin(closing)
		closed <- left
	}()
	for tick, over := time.NewTicker(time.Millisecond), time.After(closing/4); over != nil; {
		select {
		case <-tick.C:
			_, err = conn.Write(subscription)
			require.NoError(t, err)
		case <-over:
			over = nil
		}
	}
	require.NoError(t, conn.Close())
	require.NoError(t, listener.Close())
	assert.NotZero(t, <-closed)
}

// A proxy that sends frames of one message for ever.
func TestMessageWithoutAnEndIsCutOffAndTheSubscriberComesBack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	uri := "tcp://" + listener.Addr().String()
	s := newSubscriber(t, uri)
	require.NoError(t, s.Subscribe("A", ""))
	conn, err := listener.Accept()
	require.NoError(t, err)
	go func() { // what the subscriber says
		_, _ = io.Copy(io.Discard, conn)
	}()
	_, err = conn.Write(append(greeting, "\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB"...))
	require.NoError(t, err)
	// With the more bit.
	frame := append([]byte("\x03\x00\x00\x00\x00\x00\x10\x00\x00"), make([]byte, 1<<20)...)
	var sent int
	for sent < 1<<10 {
		if _, err = conn.Write(frame); err != nil {
			break
		}
		sent++
	}
	require.Error(t, err, "the subscriber has not cut it off in %d MiB", sent)
	require.NoError(t, listener.Close())
	_ = conn.Close()
	proxy := runProxy(t, "tcp://127.0.0.1:0", uri, core.Hold(0))
	require.NoError(t, s.Ready(within(t, deadline)))
	publish(t, newPublisher(t, proxy.PubURI()), "A", "x")
	assert.Equal(t, "x", get(t, s).Topic)
}

// An event that takes longer than three heartbeats to arrive is a sign of life.
func TestLargeEventOverASlowNetworkArrives(t *testing.T) {
	p, s, toPub, toSub := behindRelays(t)
	toPub.slow(20 * time.Millisecond) // 64 KiB each
	toSub.slow(20 * time.Millisecond)
	sendBytes(t, p, "A.", 4<<20)
	assert.Len(t, get(t, s).Frames[0], 4<<20)
	assert.Zero(t, stats(t, s).Reconnects)
	assert.Zero(t, publisherStats(t, p).Reconnects)
}

func TestTwoLargeEventsOneAfterTheOtherAreNoEndlessMessage(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	for range 3 {
		sendBytes(t, p, "A.", 63<<20)
		assert.Len(t, get(t, s).Frames[0], 63<<20)
	}
	assert.Zero(t, publisherStats(t, p).Reconnects)
}

// silenced is how many events publishIntoSilence publishes, of 1 MiB each: far more than
// the kernels between take.
const silenced = 60

// publishIntoSilence publishes to a network that has fallen silent: topics 00, 01, … of A,
// for a subscriber that is live.
func publishIntoSilence(t *testing.T, options ...core.PublisherOption) (*core.Publisher, *core.Subscriber, *relay) {
	proxy := startProxy(t)
	network := newRelay(t, proxy.PubURI())
	p, s := newPublisher(t, network.uri, options...), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	network.hush()
	for i := range silenced {
		sendBytes(t, p, fmt.Sprintf("A.%02d.", i), 1<<20)
	}
	return p, s, network
}

// What has not gone to a network that falls silent goes to the next connection, in order.
func TestEventsThatASilentNetworkDidNotTakeArriveInOrder(t *testing.T) {
	p, s, network := publishIntoSilence(t, heartbeat)
	require.Eventually(t, func() bool { return !publisherStats(t, p).Connected }, deadline, time.Millisecond)
	network.speak()
	last, came := "", 0
	for last != fmt.Sprint(silenced-1) {
		topic := get(t, s).Topic
		require.Greater(t, topic, last)
		last = topic
		came++
	}
	assert.Greater(t, came, silenced/2)
	assert.GreaterOrEqual(t, publisherStats(t, p).Unconfirmed, uint64(silenced-came))
}

// Asking for stats again and again must not make it give up a connection that libzmq is
// about to make.
func TestEventsInTheSocketSurviveWhoeverAsksForStats(t *testing.T) {
	p, s, network := publishIntoSilence(t)
	network.cut()
	for publisherStats(t, p).Connected {
	}
	for range 1000 {
		publisherStats(t, p)
	}
	network.mend()
	network.speak()
	for get(t, s).Topic != fmt.Sprint(silenced-1) {
	}
}
