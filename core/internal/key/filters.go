// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package key

import (
	"fmt"
	"strings"
)

// AmbiguousError says that two names cannot be subscribed to together, because
// the key of one is a prefix of the other's.
type AmbiguousError struct{ Name, Other string }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("ambiguous: the name %q and the subscribed name %q are dotted prefixes of each other",
		e.Name, e.Other)
}

// Filters is what one subscriber has subscribed to. It tells the name of an
// incoming key: the shortest subscribed dotted prefix. Not safe for concurrent
// use; the zero value is empty.
type Filters struct {
	topics map[string]map[string]struct{} // name → topics; "" is every topic
}

// Add notes a subscription. It returns false if it was there already, and an
// *AmbiguousError or ErrInvalid without noting anything.
func (f *Filters) Add(name, topic string) (added bool, err error) {
	if err := CheckName(name, topic); err != nil {
		return false, err
	}
	for other := range f.topics {
		if other != name && (strings.HasPrefix(other+".", name+".") || strings.HasPrefix(name+".", other+".")) {
			return false, &AmbiguousError{Name: name, Other: other}
		}
	}
	if _, there := f.topics[name][topic]; there {
		return false, nil
	}
	if f.topics == nil {
		f.topics = make(map[string]map[string]struct{})
	}
	if f.topics[name] == nil {
		f.topics[name] = make(map[string]struct{})
	}
	f.topics[name][topic] = struct{}{}
	return true, nil
}

// Remove forgets a subscription and frees the name with its last topic. It
// returns false if there was none.
func (f *Filters) Remove(name, topic string) (removed bool, err error) {
	if err := CheckName(name, topic); err != nil {
		return false, err
	}
	if _, there := f.topics[name][topic]; !there {
		return false, nil
	}
	delete(f.topics[name], topic)
	if len(f.topics[name]) == 0 {
		delete(f.topics, name)
	}
	return true, nil
}

// Name returns the length of the subscribed name that a valid key begins with.
func (f *Filters) Name(key []byte) (size int, ok bool) {
	for i, c := range key {
		if c == '.' {
			if _, ok := f.topics[string(key[:i])]; ok {
				return i, true
			}
		}
	}
	return 0, false
}
