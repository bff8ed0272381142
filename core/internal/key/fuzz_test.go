// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package key_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/tests/vectors"
)

// FuzzNameAndTopic: what may be published has a key that is one, and that the same
// subscription finds; what may not be, cannot be subscribed to either.
func FuzzNameAndTopic(f *testing.F) {
	for _, v := range vectors.Load[vectors.Key](f, "keys.json") {
		name, topic := v.NameAndTopic(f)
		f.Add(name, topic)
	}
	f.Fuzz(func(t *testing.T, name, topic string) {
		var filters key.Filters[int]
		_, err := filters.Add(name, topic)
		if key.CheckName(name, topic) != nil {
			require.ErrorIs(t, err, key.ErrInvalid)
			require.Empty(t, filters.Disjoint())
			return
		}
		require.NoError(t, err)
		k := key.Append(nil, name, topic)
		require.NoError(t, key.Check(k))
		found := filters.Find(k)
		require.NotNil(t, found)
		assert.Equal(t, name, string(k[:found.NameSize]))
	})
}

// FuzzKeyFromAPeer: any frame may be a key. None makes a search fail, and one that
// passes for a key is found by whoever subscribed to what it says.
func FuzzKeyFromAPeer(f *testing.F) {
	for _, v := range vectors.Load[vectors.Key](f, "keys.json") {
		f.Add(v.KeyHex.Bytes(f))
	}
	f.Add([]byte("\xffcA.\xff"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		var filters key.Filters[int]
		_, err := filters.Add("A", "b.c")
		require.NoError(t, err)
		found := filters.Find(frame)
		require.Equal(t, bytes.HasPrefix(frame, []byte("A.b.c.")), found != nil)
		if key.Check(frame) != nil {
			return
		}
		require.True(t, utf8.Valid(frame) && !bytes.ContainsRune(frame, 0) && frame[len(frame)-1] == '.')
		name := string(frame[:len(frame)-1])
		if key.CheckName(name, "") != nil {
			require.Greater(t, len(name), key.MaxBytes, "only the length can be wrong")
			return
		}
		var own key.Filters[int]
		_, err = own.Add(name, "")
		require.NoError(t, err)
		require.NotNil(t, own.Find(frame))
	})
}

var (
	someNames  = []string{"A", "A.B", "A.Bc", "B", "B.A", "Ab"}
	someTopics = []string{"", "a", "a.b", "a.bc", "a.b.c", "b", "a.", ".a"}
)

// subscriptions is what Filters is, said simply: the keys that were subscribed to.
type subscriptions map[string]string // key → name

func (s subscriptions) ambiguous(name string) bool {
	for _, other := range s {
		if strings.HasPrefix(other, name+".") || strings.HasPrefix(name, other+".") {
			return true
		}
	}
	return false
}

func (s subscriptions) disjoint() (keys []string) {
	for k := range s {
		covered := false
		for other := range s {
			covered = covered || other != k && strings.HasPrefix(k, other)
		}
		if !covered {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// FuzzFilters subscribes and unsubscribes in any order: one byte a step.
func FuzzFilters(f *testing.F) {
	f.Add([]byte{0, 2, 4, 128, 130})
	f.Add([]byte{1, 9, 17, 129, 0, 3, 131})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var filters key.Filters[int]
		expected, told := subscriptions{}, map[string]bool{}
		for _, step := range steps[:min(len(steps), 100)] {
			name, topic := someNames[int(step&127)>>3%len(someNames)], someTopics[step&7]
			k := string(key.Append(nil, name, topic))
			_, there := expected[k]
			var change key.Change[int]
			var err error
			if step < 128 {
				change, err = filters.Add(name, topic)
				if expected.ambiguous(name) {
					var ambiguous *key.AmbiguousError
					require.ErrorAs(t, err, &ambiguous)
					require.Equal(t, key.Change[int]{}, change)
					continue
				}
				require.Equal(t, !there, change.Done)
				expected[k] = name
			} else {
				change, err = filters.Remove(name, topic)
				require.Equal(t, there, change.Done)
				delete(expected, k)
			}
			require.NoError(t, err)
			follow(t, told, change)
			check(t, &filters, expected, told)
		}
	})
}

// follow applies what a change tells to what was told before.
func follow(t *testing.T, told map[string]bool, change key.Change[int]) {
	for _, ended := range change.Ended {
		require.True(t, told[ended.Key], "ended, but never began: %s", ended.Key)
		delete(told, ended.Key)
	}
	for _, began := range change.Began {
		require.False(t, told[began.Key], "began twice: %s", began.Key)
		told[began.Key] = true
	}
}

// check says what does not hold only when it does not: it runs millions of times.
func check(t *testing.T, filters *key.Filters[int], expected subscriptions, told map[string]bool) {
	disjoint := expected.disjoint()
	if len(filters.Disjoint()) != len(disjoint) || len(told) != len(disjoint) {
		t.Fatalf("disjoint are %v, told were %v, expected %v", filters.Disjoint(), told, disjoint)
	}
	for _, k := range disjoint {
		one := filters.Disjoint()[k]
		if !told[k] || one == nil || one.Key != k || one.NameSize != len(expected[k]) {
			t.Fatalf("%q is %v, told: %v", k, one, told[k])
		}
	}
	for _, name := range someNames {
		for _, topic := range someTopics {
			k := key.Append(nil, name, topic)
			wanted := ""
			if i := slices.IndexFunc(disjoint, func(d string) bool { return strings.HasPrefix(string(k), d) }); i >= 0 {
				wanted = disjoint[i]
			}
			found := ""
			if one := filters.Find(k); one != nil {
				found = one.Key
			}
			if found != wanted {
				t.Fatalf("%q is under %q, expected %q", k, found, wanted)
			}
		}
	}
}
