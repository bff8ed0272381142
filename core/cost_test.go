// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// What does not depend on the machine is counted here, so that gains do not leak away.
// Times are the benchmark's.

// crossings is how often an action goes from Go into C: the least of many runs, as
// housekeeping and the proxy of the same process go there too.
func crossings(runs int, action func()) int64 {
	least := int64(math.MaxInt64)
	for range runs {
		before := runtime.NumCgoCall()
		action()
		least = min(least, runtime.NumCgoCall()-before)
	}
	return least
}

func batchOf(count int) []core.Event {
	events := make([]core.Event, count)
	for i := range events {
		events[i] = core.Event{Name: "A", Topic: fmt.Sprint(i), Frames: [][]byte{empty}}
	}
	return events
}

func TestBatchIsPublishedInOneCrossing(t *testing.T) {
	p := newPublisher(t, startProxy(t).PubURI())
	require.NoError(t, p.WaitConnected(within(t, deadline)))
	events := batchOf(100)
	assert.EqualValues(t, 1, crossings(50, func() {
		_, err := p.TryPublish(events)
		require.NoError(t, err)
	}))
}

func TestBatchIsTakenInFewCrossings(t *testing.T) {
	proxy := startProxy(t)
	p, s := newPublisher(t, proxy.PubURI()), newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	events := batchOf(100)
	perEvent := math.Inf(1)
	for range 50 {
		_, err := p.TryPublish(events)
		require.NoError(t, err)
		for taken := 0; taken < len(events); {
			before := runtime.NumCgoCall()
			got, err := s.GetMany(within(t, deadline), len(events))
			require.NoError(t, err)
			taken += len(got)
			perEvent = min(perEvent, float64(runtime.NumCgoCall()-before)/float64(len(got)))
		}
	}
	assert.LessOrEqual(t, perEvent, 0.2)
}

// boundSocket is one of a proxy that costs this process no crossing at rest.
func boundSocket(t *testing.T, kind zmq.Type) (s *zmq.Socket, uri string) {
	s, err := zmq.NewSocket(kind)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Bind("tcp://127.0.0.1:*"))
	uri, err = s.GetLastEndpoint()
	require.NoError(t, err)
	return s, uri
}

func TestHandlesAtRestAreSeldomLookedAt(t *testing.T) {
	publishers, pubURI := boundSocket(t, zmq.SUB)
	require.NoError(t, publishers.SetSubscribe(""))
	_, subURI := boundSocket(t, zmq.XPUB)
	p, s := newPublisher(t, pubURI), newSubscriber(t, subURI)
	require.NoError(t, s.Subscribe("A", ""))
	require.Eventually(t, func() bool {
		_, err := publishers.GetEvents() // only in a call does libzmq send a new peer its subscriptions
		return err == nil && p.TryConnected() == nil
	}, deadline, time.Millisecond)
	rest(t, s)
	before := runtime.NumCgoCall()
	rest(t, s)
	// A round is 10 for the two; ten rounds a second were 252.
	assert.Less(t, runtime.NumCgoCall()-before, int64(100))
}
