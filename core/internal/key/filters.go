// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package key

import (
	"fmt"
)

// AmbiguousError says that two names cannot be subscribed to together, because
// the key of one is a prefix of the other's.
type AmbiguousError struct{ Name, Other string }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("ambiguous: the name %q and the subscribed name %q are dotted prefixes of each other",
		e.Name, e.Other)
}

// Filters is what one subscriber has subscribed to. Not safe for concurrent use;
// the zero value is empty.
//
// Subscriptions may overlap: whoever asked for a name and for one of its topics
// receives that topic once. The disjoint filters are those that no other covers:
// each incoming key is under exactly one of them. T is what the owner keeps of each.
type Filters[T any] struct {
	topics   map[string]map[string]struct{} // name → topics; "" is every topic
	disjoint map[string]*Filter[T]          // by their key
}

// Filter is one of the disjoint filters.
type Filter[T any] struct {
	Key      string // with its final dot
	NameSize int
	Value    T
}

// Change is what a subscription, or its end, changed.
type Change[T any] struct {
	Done         bool // false: it was so already
	Began, Ended []*Filter[T]
}

// isPrefix tells whether one is a dotted prefix of other, and shorter.
func isPrefix(one, other string) bool {
	return len(one) < len(other) && other[len(one)] == '.' && other[:len(one)] == one
}

// covers tells whether a subscription to one topic of a name takes another one in.
func covers(wide, narrow string) bool { return wide == "" && narrow != "" || isPrefix(wide, narrow) }

// Add notes a subscription, or returns an *AmbiguousError or ErrInvalid without
// noting anything.
func (f *Filters[T]) Add(name, topic string) (change Change[T], err error) {
	if err := CheckName(name, topic); err != nil {
		return change, err
	}
	if _, there := f.topics[name][topic]; there {
		return change, nil
	}
	if f.topics[name] == nil {
		for other := range f.topics {
			if isPrefix(name, other) || isPrefix(other, name) {
				return change, &AmbiguousError{Name: name, Other: other}
			}
		}
	}
	if f.topics == nil {
		f.topics = make(map[string]map[string]struct{})
		f.disjoint = make(map[string]*Filter[T])
	}
	if f.topics[name] == nil {
		f.topics[name] = make(map[string]struct{})
	}
	f.topics[name][topic] = struct{}{}
	change.Done = true
	added := string(Append(nil, name, topic))
	if f.Find([]byte(added)) != nil { // a wider one covers it
		return change, nil
	}
	for narrower := range f.topics[name] {
		if !covers(topic, narrower) {
			continue
		}
		k := string(Append(nil, name, narrower))
		if one := f.disjoint[k]; one != nil {
			delete(f.disjoint, k)
			change.Ended = append(change.Ended, one)
		}
	}
	change.Began = append(change.Began, f.begin(added, len(name)))
	return change, nil
}

func (f *Filters[T]) begin(k string, nameSize int) *Filter[T] {
	one := &Filter[T]{Key: k, NameSize: nameSize}
	f.disjoint[k] = one
	return one
}

// Remove forgets a subscription and frees the name with its last topic.
func (f *Filters[T]) Remove(name, topic string) (change Change[T], err error) {
	if err := CheckName(name, topic); err != nil {
		return change, err
	}
	if _, there := f.topics[name][topic]; !there {
		return change, nil
	}
	change.Done = true
	delete(f.topics[name], topic)
	if len(f.topics[name]) == 0 {
		delete(f.topics, name)
	}
	removed := string(Append(nil, name, topic))
	ended := f.disjoint[removed]
	if ended == nil {
		return change, nil
	}
	delete(f.disjoint, removed)
	change.Ended = append(change.Ended, ended)
	for narrower := range f.topics[name] {
		if covers(topic, narrower) && !f.covered(name, narrower) {
			change.Began = append(change.Began, f.begin(string(Append(nil, name, narrower)), len(name)))
		}
	}
	return change, nil
}

// covered tells whether another subscription of the name takes a topic in.
func (f *Filters[T]) covered(name, topic string) bool {
	topics := f.topics[name]
	if _, all := topics[""]; all {
		return topic != ""
	}
	for i, c := range []byte(topic) {
		if c == '.' {
			if _, wider := topics[topic[:i]]; wider {
				return true
			}
		}
	}
	return false
}

// Find returns the disjoint filter that a key is under, or nil.
func (f *Filters[T]) Find(key []byte) *Filter[T] {
	for i, c := range key {
		if c == '.' {
			if one := f.disjoint[string(key[:i+1])]; one != nil {
				return one
			}
		}
	}
	return nil
}

// Disjoint returns all disjoint filters.
func (f *Filters[T]) Disjoint() map[string]*Filter[T] { return f.disjoint }
