// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// deadline is how long a test may wait for what must happen.
const deadline = 10 * time.Second

// empty is the smallest payload: an empty CBOR map.
var empty = []byte{0xa0}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func startProxy(t testing.TB, options ...core.ProxyOption) *core.Proxy {
	proxy, err := core.NewProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", append([]core.ProxyOption{core.Hold(0)}, options...)...)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- proxy.Run(context.Background()) }()
	t.Cleanup(func() {
		require.NoError(t, proxy.Close())
		require.ErrorIs(t, <-ended, core.ErrClosed)
	})
	return proxy
}

func newPublisher(t testing.TB, uri string, options ...core.PublisherOption) *core.Publisher {
	p, err := core.NewPublisher(uri, options...)
	require.NoError(t, err)
	t.Cleanup(func() { p.CloseWithin(0) })
	return p
}

func newSubscriber(t testing.TB, uri string, options ...core.SubscriberOption) *core.Subscriber {
	s, err := core.NewSubscriber(uri, options...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// probes makes each call of goLive use a name of its own: with the same one again
// the proxy might answer on a subscription that is about to end.
var probes atomic.Int64

// goLive waits until what the subscriber has subscribed to is live. A publisher that
// binds confirms nothing, so there probes are published until one arrives.
func goLive(t testing.TB, p *core.Publisher, s *core.Subscriber) {
	ctx := within(t, deadline)
	err := s.Ready(ctx)
	if err == nil {
		require.NoError(t, p.WaitConnected(ctx))
		return
	}
	require.ErrorIs(t, err, core.ErrUnconfirmed)
	probe := fmt.Sprint("juicebus-test-probe-", probes.Add(1))
	require.NoError(t, s.Subscribe(probe, ""))
	for {
		require.NoError(t, p.Publish(ctx, core.Event{Name: probe, Frames: [][]byte{empty}}))
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		_, err := s.Get(short)
		cancel()
		if err == nil {
			break
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	// The last probe carries another topic; behind it there are none.
	require.NoError(t, p.Publish(ctx, core.Event{Name: probe, Topic: "last", Frames: [][]byte{empty}}))
	for {
		e, err := s.Get(ctx)
		require.NoError(t, err)
		if e.Topic == "last" {
			break
		}
	}
	require.NoError(t, s.Unsubscribe(probe, ""))
}

func publish(t testing.TB, p *core.Publisher, name, topic string) {
	require.NoError(t, p.Publish(within(t, deadline), core.Event{Name: name, Topic: topic, Frames: [][]byte{empty}}))
}

// sendBytes publishes so many bytes under a key.
func sendBytes(t testing.TB, p *core.Publisher, key string, count int) {
	require.NoError(t, p.SendFrames(within(t, deadline), [][]byte{[]byte(key), make([]byte, count)}))
}

func get(t testing.TB, s *core.Subscriber) core.Event {
	e, err := s.Get(within(t, deadline))
	require.NoError(t, err)
	return e
}

// isOver tells whether an error is a context's.
func isOver(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
