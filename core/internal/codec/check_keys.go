// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

// keySet finds duplicates. Events have few fields: up to its array's size it
// allocates nothing.
type keySet struct {
	hashes uint64 // the bits of the keys added
	few    [16][]byte
	count  int
	many   map[string]struct{}
}

// hashBit is one bit of 64, for most keys of an event each another one: where it is
// not set yet, the key is new without a comparison.
func hashBit(key []byte) uint64 {
	n := uint(len(key))
	if n > 0 {
		n += 7*uint(key[0]) + 31*uint(key[n-1])
	}
	return 1 << (n % 64)
}

func (s *keySet) has(key []byte) bool {
	if s.many != nil {
		_, there := s.many[string(key)]
		return there
	}
	for _, other := range s.few[:s.count] {
		if string(other) == string(key) {
			return true
		}
	}
	return false
}

// add tells whether the key is new.
func (s *keySet) add(key []byte) bool {
	bit := hashBit(key)
	if s.hashes&bit != 0 && s.has(key) {
		return false
	}
	s.hashes |= bit
	if s.count < len(s.few) {
		s.few[s.count] = key
		s.count++
	} else {
		s.addToMany(key)
	}
	return true
}

func (s *keySet) addToMany(key []byte) {
	if s.many == nil {
		s.many = make(map[string]struct{}, 4*len(s.few))
		for _, other := range s.few {
			s.many[string(other)] = struct{}{}
		}
	}
	s.many[string(key)] = struct{}{}
}
