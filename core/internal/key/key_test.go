// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package key_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/tests/vectors"
)

// newKey is what publishing does: check, then append.
func newKey(name, topic string) ([]byte, error) {
	if err := key.CheckName(name, topic); err != nil {
		return nil, err
	}
	return key.Append(nil, name, topic), nil
}

func TestKeyIsWhatTheVectorsSay(t *testing.T) {
	for _, v := range vectors.Load[vectors.Key](t, "keys.json") {
		t.Run(v.ID, func(t *testing.T) {
			got, err := newKey(v.NameAndTopic(t))
			if v.Status != "" {
				require.Equal(t, "E_INVALID", v.Status)
				require.ErrorIs(t, err, key.ErrInvalid)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, v.KeyHex.Bytes(t), got)
			assert.NoError(t, key.Check(got))
		})
	}
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	for name, frame := range map[string]string{
		"empty": "", "only a dot": ".", "no final dot": "A", "NUL": "A\x00.", "not UTF-8": "A\xff.",
		"reserved": "\xffA.", "too long": string(make([]byte, 1026)) + ".",
	} {
		t.Run(name, func(t *testing.T) { assert.ErrorIs(t, key.Check([]byte(frame)), key.ErrInvalid) })
	}
}

func TestFiltersAreWhatTheVectorsSay(t *testing.T) {
	for _, v := range vectors.Load[vectors.Filter](t, "filters.json") {
		t.Run(v.ID, func(t *testing.T) {
			var filters key.Filters
			for _, s := range v.Subscribe {
				_, err := filters.Add(s.Name, s.Topic)
				switch s.Status {
				case "OK":
					require.NoError(t, err)
				case "E_AMBIGUOUS":
					var ambiguous *key.AmbiguousError
					require.ErrorAs(t, err, &ambiguous)
				default:
					require.ErrorIs(t, err, key.ErrInvalid)
				}
			}
			for _, e := range v.Events {
				if e.Received == nil {
					continue // which topics match is libzmq's part: see core's run of this file
				}
				k, err := newKey(e.Name, e.Topic)
				require.NoError(t, err)
				size, ok := filters.Name(k)
				require.True(t, ok, "%s", k)
				assert.Equal(t, e.Received.Name, string(k[:size]))
			}
		})
	}
}

func TestAmbiguousErrorNamesBoth(t *testing.T) {
	var filters key.Filters
	_, err := filters.Add("lab.Temp", "")
	require.NoError(t, err)
	_, err = filters.Add("lab", "")
	assert.EqualError(t, err, `ambiguous: the name "lab" and the subscribed name "lab.Temp" are dotted prefixes of each other`)
}

func TestLastTopicFreesTheName(t *testing.T) {
	var filters key.Filters
	for _, topic := range []string{"a", "b"} {
		added, err := filters.Add("A", topic)
		require.NoError(t, err)
		require.True(t, added)
	}
	removed, err := filters.Remove("A", "a")
	require.NoError(t, err)
	require.True(t, removed)
	_, err = filters.Add("A.B", "")
	require.Error(t, err, "the name A still has a topic")
	_, err = filters.Remove("A", "b")
	require.NoError(t, err)
	_, err = filters.Add("A.B", "")
	assert.NoError(t, err)
}

func TestTheSameSubscriptionTwiceIsOnce(t *testing.T) {
	var filters key.Filters
	added, _ := filters.Add("A", "x")
	require.True(t, added)
	added, err := filters.Add("A", "x")
	require.NoError(t, err)
	assert.False(t, added)
	removed, _ := filters.Remove("A", "x")
	assert.True(t, removed)
	removed, err = filters.Remove("A", "x")
	require.NoError(t, err)
	assert.False(t, removed)
}

func TestFindingANameAllocatesNothing(t *testing.T) {
	var filters key.Filters
	_, err := filters.Add("lab.Temperature", "")
	require.NoError(t, err)
	k := []byte("lab.Temperature.fridge.4K.")
	assert.Zero(t, testing.AllocsPerRun(100, func() { filters.Name(k) }))
}
