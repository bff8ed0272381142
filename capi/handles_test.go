// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

func newSubscriber(t *testing.T) *core.Subscriber {
	s, err := core.NewSubscriber("tcp://127.0.0.1:1")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func handleOf(t *testing.T, s *core.Subscriber) uint64 {
	handle, err := handles.add(subscriberKind, s)
	require.NoError(t, err)
	return handle
}

func TestNumbersThatNeverWereHandlesAreRefused(t *testing.T) {
	good := handleOf(t, newSubscriber(t))
	for _, number := range []uint64{
		0, 1, ^uint64(0), good + 1<<indexBits /* a later generation */, good | (1<<indexBits - 1),
		good&^(uint64(15)<<(indexBits+generationBits)) | uint64(publisherKind)<<(indexBits+generationBits),
	} {
		_, err := get[*core.Subscriber](number, subscriberKind)
		assert.ErrorIs(t, err, errHandle, "%x", number)
	}
	_, err := get[*core.Publisher](good, publisherKind)
	assert.ErrorIs(t, err, errHandle, "another kind")
	_, _, err = closeHandle[*core.Subscriber](good, subscriberKind)
	require.NoError(t, err)
}

func TestClosedHandleStaysClosedWhenItsSlotIsUsedAgain(t *testing.T) {
	s := newSubscriber(t)
	old := handleOf(t, s)
	_, first, err := closeHandle[*core.Subscriber](old, subscriberKind)
	require.NoError(t, err)
	require.True(t, first)
	again := handleOf(t, s)
	assert.Equal(t, old&(1<<indexBits-1), again&(1<<indexBits-1), "the same slot")
	_, err = get[*core.Subscriber](old, subscriberKind)
	assert.ErrorIs(t, err, core.ErrClosed)
	_, first, err = closeHandle[*core.Subscriber](old, subscriberKind)
	assert.NoError(t, err)
	assert.False(t, first, "a second close is fine and closes nothing")
	_, err = get[*core.Subscriber](again, subscriberKind)
	assert.NoError(t, err)
	_, _, err = closeHandle[*core.Subscriber](again, subscriberKind)
	require.NoError(t, err)
}
