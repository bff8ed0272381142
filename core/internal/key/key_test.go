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
			var filters key.Filters[int]
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
				filter := filters.Find(k)
				require.NotNil(t, filter, "%s", k)
				assert.Equal(t, e.Received.Name, string(k[:filter.NameSize]))
			}
		})
	}
}

func TestAmbiguousErrorNamesBoth(t *testing.T) {
	var filters key.Filters[int]
	_, err := filters.Add("lab.Temp", "")
	require.NoError(t, err)
	_, err = filters.Add("lab", "")
	assert.EqualError(t, err, `ambiguous: the name "lab" and the subscribed name "lab.Temp" are dotted prefixes of each other`)
}

func TestLastTopicFreesTheName(t *testing.T) {
	var filters key.Filters[int]
	for _, topic := range []string{"a", "b"} {
		added, err := filters.Add("A", topic)
		require.NoError(t, err)
		require.True(t, added.Done)
	}
	removed, err := filters.Remove("A", "a")
	require.NoError(t, err)
	require.True(t, removed.Done)
	_, err = filters.Add("A.B", "")
	require.Error(t, err, "the name A still has a topic")
	_, err = filters.Remove("A", "b")
	require.NoError(t, err)
	_, err = filters.Add("A.B", "")
	assert.NoError(t, err)
}

func TestTheSameSubscriptionTwiceIsOnce(t *testing.T) {
	var filters key.Filters[int]
	added, _ := filters.Add("A", "x")
	require.True(t, added.Done)
	added, err := filters.Add("A", "x")
	require.NoError(t, err)
	assert.False(t, added.Done)
	removed, _ := filters.Remove("A", "x")
	assert.True(t, removed.Done)
	removed, err = filters.Remove("A", "x")
	require.NoError(t, err)
	assert.False(t, removed.Done)
}

func TestFindingAFilterAllocatesNothing(t *testing.T) {
	var filters key.Filters[int]
	_, err := filters.Add("lab.Temperature", "")
	require.NoError(t, err)
	k := []byte("lab.Temperature.fridge.4K.")
	assert.Zero(t, testing.AllocsPerRun(100, func() { filters.Find(k) }))
}

func TestDisjointFiltersAreThoseThatNoOtherCovers(t *testing.T) {
	var filters key.Filters[int]
	keys := func(filters []*key.Filter[int]) (keys []string) {
		for _, f := range filters {
			keys = append(keys, f.Key)
		}
		return keys
	}
	change := func(edit func(name, topic string) (key.Change[int], error), topic string, began, ended []string) {
		t.Helper()
		c, err := edit("A", topic)
		require.NoError(t, err)
		assert.ElementsMatch(t, began, keys(c.Began), "began")
		assert.ElementsMatch(t, ended, keys(c.Ended), "ended")
	}
	change(filters.Add, "x.y", []string{"A.x.y."}, nil)
	change(filters.Add, "z", []string{"A.z."}, nil)
	change(filters.Add, "x", []string{"A.x."}, []string{"A.x.y."})
	change(filters.Add, "xx", []string{"A.xx."}, nil)
	change(filters.Add, "", []string{"A."}, []string{"A.x.", "A.xx.", "A.z."})
	change(filters.Remove, "z", nil, nil)
	change(filters.Remove, "", []string{"A.x.", "A.xx."}, []string{"A."})
	change(filters.Remove, "x", []string{"A.x.y."}, []string{"A.x."})
	assert.Nil(t, filters.Find([]byte("A.x.z.")))
	assert.Equal(t, "A.x.y.", filters.Find([]byte("A.x.y.z.")).Key)
}
