// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/core/internal/key"
	"github.com/juicebus/juicebus/tests/vectors"
)

// sorter is a pair whose subscriber has filters, in C and in Go.
type sorter struct {
	p       *Publisher
	s       *Subscriber
	filters key.Filters[Filter]
}

func newSorter(t testing.TB, subscriptions ...[2]string) *sorter {
	r := &sorter{}
	r.p, r.s = pair(t)
	r.s.c.event_bytes_max = 1 << 30
	for _, one := range subscriptions {
		r.change(t, r.filters.Add, one)
	}
	return r
}

func (r *sorter) change(t testing.TB, note func(name, topic string) (key.Change[Filter], error), one [2]string) {
	change, err := note(one[0], one[1])
	require.NoError(t, err)
	for _, began := range change.Began {
		began.Value = r.s.AddFilter(began.Key, began.NameSize)
	}
	for _, ended := range change.Ended {
		r.s.RemoveFilter(ended.Value)
	}
}

// sort sends one event and takes it.
func (r *sorter) sort(t testing.TB, key, payload []byte) *Block {
	_, err := r.p.Send([]Event{{Key: key, Frames: [][]byte{payload}}})
	require.NoError(t, err)
	taken, err := r.s.Take(1)
	require.NoError(t, err)
	t.Cleanup(taken.Block.Release)
	return taken.Block
}

var usual = []byte("\xa2\x66kelvin\xfb\x40\x10\x00\x00\x00\x00\x00\x00\x64time\xc0\x78\x202026-11-23T12:34:56.789012+00:00")

func TestUsualEventsAreSortedInC(t *testing.T) {
	r := newSorter(t, [2]string{"A", ""}, [2]string{"B", "x"}, [2]string{"B", "y.z"}, [2]string{"dotted.name", ""})
	for k, parts := range map[string][2]string{
		"A.": {"A", ""}, "A.b.c.": {"A", "b.c"}, "B.x.": {"B", "x"}, "B.y.z.1.": {"B", "y.z.1"},
		"dotted.name.t.": {"dotted.name", "t"}, "A..": {"A", ""},
	} {
		for payload, format := range map[string]codec.Format{
			string(usual): codec.CBOR, "\xa0": codec.CBOR, "\xa1\x61a\x63\xc3\xa4b": codec.CBOR, "{}": codec.JSON, "": codec.Other, "\x01": codec.Other,
			"\xa1\x61a\x83\x01\xa1\x61b\xf6\x42\x00\xff": codec.CBOR, "\xa1\x61a\xc1\x1a\x6a\x00\x00\x00": codec.CBOR,
			"\xa1\x61a\xc1\xfb\x41\xda\x00\x00\x00\x00\x00\x00": codec.CBOR, "\xa1\x61a\xc1\x20": codec.CBOR,
		} {
			block := r.sort(t, []byte(k), []byte(payload))
			require.Equal(t, 1, block.Sorted(), "%q %q", k, payload)
			assert.Equal(t, parts[0], string(block.Name(0)))
			assert.Equal(t, parts[1], string(block.Topic(0)))
			assert.EqualValues(t, format, block.records()[0].format, "%q", payload)
		}
	}
}

func TestWhatIsNotPlainIsLeftToGo(t *testing.T) {
	r := newSorter(t, [2]string{"A", ""}, [2]string{"B", "x"})
	for _, k := range []string{"B.", "B.xy.", "C.", "\xffwelcome", "A", "A.\x00.", "A.ä.", ".", "A.b"} {
		assert.Zero(t, r.sort(t, []byte(k), usual).Sorted(), "%q", k)
	}
	for _, payload := range []string{
		"\xa1\x61a\xa1", "\xa2\x61a\x01\x61a\x01", "\xa0\x00", "\xa1\x61a\xf7", "\xa1\x61a\x63\xc3\x28b", "\xa1\x61a\x63\xed\xa0\x80", "\xd9\xd9\xf7\xa0",
		"\xa1\x61a\xc1\xf6", "\xa1\x61a\xc1\x1b\x00\x00\x00\x3b\x00\x00\x00\x00", "\xa1\x61a\xc1\xf9\x00\x00", "\xa1\x01\x01", "\xbf\xff", "\xa1\x61a\xc0\x742026-02-30T00:00:00Z",
		"\xb8\x28" + string(bytes.Repeat([]byte("\x61a\x01"), 40)),
	} {
		assert.Zero(t, r.sort(t, []byte("A."), []byte(payload)).Sorted(), "%x", payload)
	}
}

func TestFilterCountsWhatWasSortedUnderIt(t *testing.T) {
	r := newSorter(t, [2]string{"A", "x"}, [2]string{"A", "y"})
	for _, k := range []string{"A.x.", "A.x.1.", "A.y.", "A.z."} {
		r.sort(t, []byte(k), usual)
	}
	assert.EqualValues(t, 2, r.filters.Find([]byte("A.x.")).Value.Came())
	assert.EqualValues(t, 1, r.filters.Find([]byte("A.y.")).Value.Came())
	r.change(t, r.filters.Remove, [2]string{"A", "x"})
	assert.Zero(t, r.sort(t, []byte("A.x."), usual).Sorted())
	assert.Equal(t, 1, r.sort(t, []byte("A.y."), usual).Sorted())
}

func TestManyFiltersAreEachFound(t *testing.T) {
	r := newSorter(t)
	var keys [][]byte
	for i := range 2000 {
		topic := string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), '.', 'a' + byte(i/26/26)})
		r.change(t, r.filters.Add, [2]string{"A", topic})
		keys = append(keys, key.Append(nil, "A", topic))
	}
	for i, k := range keys {
		require.Equal(t, 1, r.sort(t, k, usual).Sorted(), "%s", k)
		if i%2 == 0 {
			name, topic, _ := bytes.Cut(k, []byte("."))
			r.change(t, r.filters.Remove, [2]string{string(name), string(bytes.TrimSuffix(topic, []byte(".")))})
		}
	}
	for i, k := range keys {
		require.Equal(t, i%2, r.sort(t, k, usual).Sorted(), "%s", k)
	}
}

// FuzzSort: what is sorted in C is sorted as Go would, to whom C leaves whatever it likes.
func FuzzSort(f *testing.F) {
	for _, v := range vectors.Load[vectors.Payload](f, "payloads.json") {
		if payload := v.PayloadHex.Bytes(f); len(payload) < 1000 {
			f.Add([]byte("A.b."), payload)
		}
	}
	for _, v := range vectors.Load[vectors.Key](f, "keys.json") {
		f.Add(v.KeyHex.Bytes(f), usual)
	}
	r := newSorter(f, [2]string{"A", ""}, [2]string{"B", "x"}, [2]string{"B", "y.z"}, [2]string{"dotted.name", ""})
	f.Fuzz(func(t *testing.T, k, payload []byte) {
		if len(k) == 0 {
			return
		}
		block := r.sort(t, k, slices.Clone(payload))
		if block.Sorted() == 0 {
			return
		}
		found := r.filters.Find(k)
		if found == nil || key.Check(k) != nil {
			t.Fatalf("%q is for nobody, or none", k)
		}
		if size, _ := block.Sizes(0, 1); !bytes.Equal(block.Name(0), k[:found.NameSize]) || int(size) > len(k)+len(payload) {
			t.Fatalf("%q became %q and %q", k, block.Name(0), block.Topic(0))
		}
		if format := codec.FormatOf(payload); int(format) != int(block.records()[0].format) {
			t.Fatalf("%x is of format %d, not %d", payload, format, block.records()[0].format)
		}
	})
}
