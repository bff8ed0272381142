// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// threads is the number of this process's threads.
func threads(t testing.TB) int {
	entries, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(entries)
}

func proxyStats(t testing.TB, proxy *core.Proxy) core.ProxyStats {
	stats, err := proxy.Stats()
	require.NoError(t, err)
	return stats
}

func TestTakenPortIsNamed(t *testing.T) {
	proxy := startProxy(t)
	_, err := core.NewProxy(proxy.PubURI(), "tcp://127.0.0.1:0")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "listen at "+proxy.PubURI()+": address already in use")
}

func TestTakenPathIsNamedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	proxy, err := core.NewProxy("ipc://"+dir+"/pub", "ipc://"+dir+"/sub")
	require.NoError(t, err)
	defer func() { require.NoError(t, proxy.Close()) }()
	_, err = core.NewProxy("ipc://"+dir+"/pub", "ipc://"+dir+"/other")
	require.ErrorContains(t, err, "listen at ipc://"+dir+"/pub: address already in use")
	_, err = core.NewProxy("ipc://"+dir+"/same", "ipc://"+dir+"/same")
	require.ErrorContains(t, err, "address already in use")
}

func TestHugeSubscriptionIsRefused(t *testing.T) {
	proxy := startProxy(t)
	raw, err := zmq.NewSocket(zmq.XSUB)
	require.NoError(t, err)
	defer func() { _ = raw.Close() }()
	require.NoError(t, raw.SetLinger(0))
	require.NoError(t, raw.Connect(proxy.SubURI()))
	address := "inproc://monitor-" + t.Name()
	require.NoError(t, raw.Monitor(address, zmq.EVENT_DISCONNECTED))
	monitor, err := zmq.NewSocket(zmq.PAIR)
	require.NoError(t, err)
	require.NoError(t, monitor.SetRcvtimeo(deadline))
	require.NoError(t, monitor.Connect(address))
	_, err = raw.SendBytes(append([]byte{1}, make([]byte, 20<<10)...), 0)
	require.NoError(t, err)
	_, _, _, err = monitor.RecvEvent(0)
	require.NoError(t, err, "the proxy ends the connection")
	require.NoError(t, raw.Monitor("", 0))
	require.NoError(t, monitor.Close())
}

func TestProxyWorksOverIPC(t *testing.T) {
	dir := t.TempDir()
	proxy, err := core.NewProxy("ipc://"+dir+"/pub", "ipc://"+dir+"/sub", core.Hold(0))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- proxy.Run(ctx) }()
	p, s := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	publish(t, p, "A", "")
	get(t, s)
	cancel()
	require.NoError(t, <-ended, "a context that is over is no error")
	require.NoError(t, proxy.Close())
	require.ErrorIs(t, proxy.Run(context.Background()), core.ErrClosed)
}

func TestProxyHoldsWhatIsSentInItsFirstMoments(t *testing.T) {
	const hold = 300 * time.Millisecond
	start := time.Now()
	proxy := startProxy(t, core.Hold(hold))
	p := newPublisher(t, proxy.PubURI())
	for i := range 10 { // before the subscriber exists
		publish(t, p, "A", fmt.Sprint(i))
	}
	require.Less(t, time.Since(start), hold, "the machine is too slow for this test")
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	for i := range 10 {
		assert.Equal(t, fmt.Sprint(i), get(t, s).Topic)
	}
}

func TestProxyCountsByKey(t *testing.T) {
	proxy := startProxy(t, core.MaxKeys(2))
	p := newPublisher(t, proxy.PubURI())
	start := time.Now()
	for _, topic := range []string{"old", "x", "y", "x"} {
		publish(t, p, "A", topic)
	}
	counts := map[string]core.KeyCount{}
	require.Eventually(t, func() bool {
		fresh, err := proxy.Keys()
		require.NoError(t, err)
		for _, count := range fresh {
			counts[count.Key] = count
		}
		return counts["A.x."].Events == 2
	}, deadline, time.Millisecond)
	assert.EqualValues(t, 2*(len("A.x.")+len(empty)), counts["A.x."].Bytes)
	assert.False(t, counts["A.y."].LastSeen.Before(start))
	fresh, err := proxy.Keys()
	require.NoError(t, err)
	assert.Empty(t, fresh, "each is told once")
	stats := proxyStats(t, proxy)
	assert.EqualValues(t, 4, stats.Events)
	assert.Equal(t, 2, stats.Keys, "the oldest key made room")
}

func rawPublisher(t *testing.T, uri string) *zmq.Socket {
	s, err := zmq.NewSocket(zmq.XPUB)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.SetLinger(0))
	require.NoError(t, s.Connect(uri))
	require.NoError(t, s.SetRcvtimeo(deadline))
	return s
}

func TestPublisherFindsTwoSubscriptionsAtOnceAndNothingElse(t *testing.T) {
	proxy := startProxy(t)
	raw := rawPublisher(t, proxy.PubURI())
	subscription, err := raw.RecvBytes(0)
	require.NoError(t, err)
	assert.Equal(t, []byte{1}, subscription, "everything, with no subscriber connected")
	announcement, err := raw.RecvBytes(0)
	require.NoError(t, err)
	assert.Equal(t, []byte("\x01\xffa\x01"), announcement[:4])
	s := newSubscriber(t, proxy.SubURI())
	for i := range 100 {
		require.NoError(t, s.Subscribe(fmt.Sprint("S", i), ""))
	}
	p := newPublisher(t, proxy.PubURI())
	goLive(t, p, s)
	_, err = raw.RecvBytes(zmq.DONTWAIT)
	assert.Error(t, err, "subscribers' filters would pile up in publishers that never read")
}

func announcement(t *testing.T, proxy *core.Proxy) string {
	raw := rawPublisher(t, proxy.PubURI())
	_, err := raw.RecvBytes(0)
	require.NoError(t, err)
	key, err := raw.RecvBytes(0)
	require.NoError(t, err)
	require.NoError(t, raw.Close())
	return string(key)
}

func mark(t *testing.T, proxy *core.Proxy) byte {
	key := announcement(t, proxy)
	return key[len(key)-1]
}

// A publisher's socket never forgets what it was once asked for: of a thousand proxies
// in a row it may keep 256 keys, which share all bytes but one.
func TestProxiesThatFollowEachOtherAnnounceThemselvesAlike(t *testing.T) {
	proxy := startProxy(t)
	first := announcement(t, proxy)
	for range 3 {
		require.NoError(t, proxy.Close())
		proxy = runProxy(t, proxy.PubURI(), proxy.SubURI())
		next := announcement(t, proxy)
		assert.Equal(t, first[:len(first)-1], next[:len(next)-1])
	}
}

// As where ports are mapped: the announced port leads to somebody else's proxy.
func TestFlushAsksNoProxyButItsOwn(t *testing.T) {
	other := startProxy(t)
	port := strings.TrimPrefix(other.SubURI(), "tcp://127.0.0.1:")
	own := runProxy(t, "tcp://127.0.0.2:0", "tcp://127.0.0.2:"+port)
	for mark(t, own) == mark(t, other) { // once in 256 times
		require.NoError(t, own.Close())
		own = runProxy(t, own.PubURI(), own.SubURI())
	}
	p := newPublisher(t, newRelay(t, own.PubURI()).uri)
	publish(t, p, "A", "")
	err := p.Flush(within(t, deadline))
	require.ErrorIs(t, err, core.ErrUnconfirmed)
	assert.ErrorContains(t, err, "another proxy")
}

func TestProxyRefusesReservedKeysAndOversizeEvents(t *testing.T) {
	proxy := startProxy(t, core.MaxEventBytes(1000))
	raw := rawPublisher(t, proxy.PubURI())
	_, err := raw.RecvBytes(0)
	require.NoError(t, err)
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, newPublisher(t, proxy.PubURI()), s)
	for _, message := range [][]any{
		{"\xffforged.", "payload"},
		{"A.", strings.Repeat("x", 500), strings.Repeat("x", 500)}, // each frame is small enough
		{"A.good.", "\xa0"},
	} {
		_, err := raw.SendMessage(message...)
		require.NoError(t, err)
	}
	assert.Equal(t, "good", get(t, s).Topic)
	require.Eventually(t, func() bool { // counted a moment after it is forwarded
		return proxyStats(t, proxy).Refused == 2
	}, deadline, time.Millisecond)
}

func TestDamagedKeysAreSkippedAndCounted(t *testing.T) {
	proxy := startProxy(t)
	raw := rawPublisher(t, proxy.PubURI())
	_, err := raw.RecvBytes(0)
	require.NoError(t, err)
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, newPublisher(t, proxy.PubURI()), s)
	before := stats(t, s).Skipped
	for _, key := range []string{"A.no dot", "A.\xff.", "A.\x00.", "A.good."} {
		_, err := raw.SendMessage(key, "\xa0")
		require.NoError(t, err)
	}
	assert.Equal(t, "good", get(t, s).Topic)
	assert.EqualValues(t, 3, stats(t, s).Skipped-before)
}

func TestSubscriberThatDoesNotKeepUpIsCutOffAndStopsNobody(t *testing.T) {
	for name, hinder := range map[string]func(*relay){
		"takes nothing": (*relay).hush,
		"is too slow":   func(network *relay) { network.slow(10 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			proxy := startProxy(t, core.MaxBytes(8<<20))
			network := newRelay(t, proxy.SubURI())
			slow, fast := newSubscriber(t, network.uri, core.Heartbeat(0)), newSubscriber(t, proxy.SubURI())
			p := newPublisher(t, proxy.PubURI())
			for _, s := range []*core.Subscriber{slow, fast} {
				require.NoError(t, s.Subscribe("A", ""))
				goLive(t, p, s)
			}
			hinder(network)
			require.Eventually(t, func() bool {
				sendBytes(t, p, "A.", 1<<20)
				get(t, fast)
				return proxyStats(t, proxy).CutOff == 1
			}, deadline, time.Microsecond)
			assert.Zero(t, stats(t, fast).Lost)
			assert.Zero(t, stats(t, fast).Reconnects)
		})
	}
}

func TestProxyThatNeverRanCloses(t *testing.T) {
	proxy, err := core.NewProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, proxy.Close())
	_, err = proxy.Stats()
	assert.ErrorIs(t, err, core.ErrClosed)
}
