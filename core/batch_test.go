// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// received takes so many events, in batches as they come.
func received(t testing.TB, s *core.Subscriber, count int) (events []core.Event) {
	for len(events) < count {
		batch, err := s.GetMany(within(t, deadline), count-len(events))
		require.NoError(t, err)
		events = append(events, batch...)
	}
	return events
}

// TestFramesOfEverySizeSurviveABatch: small frames go another way than large ones, and
// so do those of a batch that has very many of them.
func TestFramesOfEverySizeSurviveABatch(t *testing.T) {
	sizes := []int{0, 1, 511, 512, 1 << 10, 1<<10 + 1, 10_000}
	var sent []core.Event
	for i := range 600 {
		event := core.Event{Name: "A"}
		for j := range i % 11 {
			event.Frames = append(event.Frames, bytes.Repeat([]byte{byte(i + j)}, sizes[(i+j)%len(sizes)]))
		}
		if len(event.Frames) == 1 {
			event.Frames[0] = empty // the one that is looked at
		}
		sent = append(sent, event)
	}
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	count, err := p.PublishMany(within(t, deadline), sent)
	require.NoError(t, err)
	require.Equal(t, len(sent), count)
	for i, event := range received(t, s, len(sent)) {
		require.Len(t, event.Frames, len(sent[i].Frames), "event %d", i)
		for j, frame := range event.Frames {
			require.True(t, bytes.Equal(sent[i].Frames[j], frame), "event %d, frame %d", i, j)
		}
	}
}

func TestWhoAppendsToAnEventLeavesTheOthersOfItsBatch(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("A", ""))
	goLive(t, p, s)
	two := core.Event{Name: "A", Topic: "b", Frames: [][]byte{{1}, {2}}}
	for several := false; !several; { // until a take meets more than one
		_, err := p.PublishMany(within(t, deadline), []core.Event{two, two, two})
		require.NoError(t, err)
		batch, err := s.GetMany(within(t, deadline), 3)
		require.NoError(t, err)
		for i := range batch {
			assert.Equal(t, two, batch[i])
			batch[i].Frames[0] = append(batch[i].Frames[0], 9)
			batch[i].Frames = append(batch[i].Frames, []byte{9})
		}
		several = len(batch) > 1
	}
}
