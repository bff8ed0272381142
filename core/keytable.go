// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"container/list"
	"time"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// KeyCount is what one key has had through a proxy since the proxy was opened.
type KeyCount struct {
	Key           string // as on the wire, with its final dot; any bytes
	Events, Bytes uint64
	LastSeen      time.Time
}

// keyTable counts by key, for at most limit keys: the one not seen for the
// longest time makes room. The list is in order of last seen, newest in front, so
// those that are fresh since the last question are at its front too.
type keyTable struct {
	limit   int
	entries map[string]*list.Element
	order   list.List // of *keyEntry
}

type keyEntry struct {
	KeyCount
	fresh bool
}

func (t *keyTable) len() int { return len(t.entries) }

func (t *keyTable) add(tallies []socket.Tally, now time.Time) {
	if t.entries == nil {
		t.entries = make(map[string]*list.Element)
	}
	for _, tally := range tallies {
		element, known := t.entries[string(tally.Key)]
		if !known {
			element = t.insert(string(tally.Key))
		}
		entry := element.Value.(*keyEntry)
		entry.Events += tally.Events
		entry.Bytes += tally.Bytes
		entry.LastSeen = now
		entry.fresh = true
		t.order.MoveToFront(element)
	}
}

func (t *keyTable) insert(key string) *list.Element {
	if len(t.entries) >= t.limit {
		oldest := t.order.Back()
		delete(t.entries, oldest.Value.(*keyEntry).Key)
		t.order.Remove(oldest)
	}
	element := t.order.PushFront(&keyEntry{KeyCount: KeyCount{Key: key}})
	t.entries[key] = element
	return element
}

// fresh returns what has been counted since it was last called.
func (t *keyTable) fresh() []KeyCount {
	var counts []KeyCount
	for element := t.order.Front(); element != nil; element = element.Next() {
		entry := element.Value.(*keyEntry)
		if !entry.fresh {
			break
		}
		entry.fresh = false
		counts = append(counts, entry.KeyCount)
	}
	return counts
}
