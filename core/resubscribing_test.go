// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// A subscriber that is busy elsewhere while its proxy is replaced. libzmq sends
// the subscriptions again only in a call on the socket.
package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

func TestBusySubscriberMissesNothingBehindANewProxy(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	first, err := core.NewProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = first.Run(ctx) }()
	pub, err := core.NewPublisher(first.PubURI())
	require.NoError(t, err)
	sub, err := core.NewSubscriber(first.SubURI())
	require.NoError(t, err)
	require.NoError(t, sub.Subscribe("A", ""))
	require.NoError(t, pub.WaitConnected(ctx))
	require.NoError(t, first.Close())

	// Held for longer than reconnecting takes, also on a machine under load.
	second, err := core.NewProxy(first.PubURI(), first.SubURI(), core.Hold(2*time.Second))
	require.NoError(t, err)
	go func() { _ = second.Run(ctx) }()
	// What is written to a connection that is just dying may be lost with it.
	require.Eventually(t, func() bool {
		stats, err := pub.Stats()
		return err == nil && stats.Reconnects == 1 && stats.Connected
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, pub.Publish(ctx, core.Event{Name: "A", Frames: [][]byte{{0xa0}}}))
	// From here on nobody calls sub, until the proxy has let go of the event.
	require.Eventually(t, func() bool {
		stats, err := second.Stats()
		return err == nil && stats.Events == 1
	}, 10*time.Second, 5*time.Millisecond)
	got, end := context.WithTimeout(ctx, 2*time.Second)
	defer end()
	_, err = sub.Get(got)
	require.NoError(t, err)
	require.NoError(t, pub.Close(ctx))
	require.NoError(t, sub.Close())
	require.NoError(t, second.Close())
}
