// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// MaxDepth bounds how deep arrays, maps and tags may nest, the outermost map
// counted as 1. It is cbor2's default, so that what one side may write the other
// one reads.
const MaxDepth = 400

// The major types of RFC 8949, section 3.1.
const (
	majorUint = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

// The tags that an event may hold, by RFC 8949 sections 3.4.1 to 3.4.4 and
// 3.4.6, the registry (37) and RFC 8746 (40, 64 to 87).
const (
	tagDateTime       = 0
	tagEpoch          = 1
	tagBignum         = 2
	tagNegativeBignum = 3
	tagDecimal        = 4
	tagUUID           = 37
	tagArray          = 40
	tagTypedFirst     = 64
	tagTypedLast      = 87
	tagSelfDescribed  = 55799
)

// CheckCBOR tells whether a payload is one definite-length map with text keys
// and nothing behind it, down to every text and tag. It is the one judge of CBOR
// for all languages: what it accepts, each of them decodes alike.
func CheckCBOR(payload []byte) error {
	c := checker{data: payload}
	err := c.top()
	if err == nil && c.at < len(payload) {
		err = c.fail("%d bytes behind the map", len(payload)-c.at)
	}
	return err
}

type checker struct {
	data []byte
	at   int
}

// head is the beginning of a data item.
type head struct {
	major byte
	info  byte // the low five bits
	value uint64
}

func (c *checker) fail(format string, args ...any) error {
	return fmt.Errorf("%w: CBOR at byte %d: %s", ErrPayload, c.at, fmt.Sprintf(format, args...))
}

func (c *checker) top() error {
	depth := 1
	for {
		start := c.at
		h, err := c.head()
		if err != nil {
			return err
		}
		switch {
		case h.major == majorMap:
			return c.mapping(h.value, depth)
		case h.major == majorTag && h.value == tagSelfDescribed && depth < MaxDepth:
			depth++
		default:
			c.at = start
			return c.fail("expected a map")
		}
	}
}

func (c *checker) head() (head, error) {
	if c.at >= len(c.data) {
		return head{}, c.fail("ends early")
	}
	h := head{major: c.data[c.at] >> 5, info: c.data[c.at] & 0x1f}
	size := 0
	switch {
	case h.info < 24:
		h.value = uint64(h.info)
	case h.info <= 27:
		size = 1 << (h.info - 24)
	case h.info == 31:
		return h, c.fail("indefinite length")
	default:
		return h, c.fail("reserved additional information %d", h.info)
	}
	if len(c.data)-c.at-1 < size {
		return h, c.fail("ends early")
	}
	argument := c.data[c.at+1 : c.at+1+size]
	switch size {
	case 1:
		h.value = uint64(argument[0])
	case 2:
		h.value = uint64(binary.BigEndian.Uint16(argument))
	case 4:
		h.value = uint64(binary.BigEndian.Uint32(argument))
	case 8:
		h.value = binary.BigEndian.Uint64(argument)
	}
	// False, true, null and floats; undefined is not the same in every language.
	if h.major == majorSimple && (h.info < 20 || h.info == 23 || h.info == 24) {
		return h, c.fail("simple value %d", h.value)
	}
	c.at += 1 + size
	return h, nil
}

// item checks one data item and returns its head.
func (c *checker) item(depth int) (head, error) {
	h, err := c.head()
	if err != nil {
		return h, err
	}
	switch h.major {
	case majorBytes:
		_, err = c.content(h)
	case majorText:
		_, err = c.text(h)
	case majorArray:
		err = c.array(h.value, depth)
	case majorMap:
		err = c.mapping(h.value, depth)
	case majorTag:
		err = c.tag(h.value, depth)
	}
	return h, err
}

func (c *checker) content(h head) ([]byte, error) {
	if h.value > uint64(len(c.data)-c.at) {
		return nil, c.fail("ends within a string of %d bytes", h.value)
	}
	content := c.data[c.at : c.at+int(h.value)]
	c.at += len(content)
	return content, nil
}

func (c *checker) text(h head) ([]byte, error) {
	content, err := c.content(h)
	if err == nil && !utf8.Valid(content) {
		c.at -= len(content)
		err = c.fail("text that is not UTF-8")
	}
	return content, err
}

// nested refuses what is too deep, and what declares more items than there are
// bytes, before anything is made of it.
func (c *checker) nested(count uint64, depth int) error {
	if depth > MaxDepth {
		return c.fail("nested over %d deep", MaxDepth)
	}
	if count > uint64(len(c.data)-c.at) {
		return c.fail("ends within %d items", count)
	}
	return nil
}

func (c *checker) array(count uint64, depth int) error {
	err := c.nested(count, depth)
	for ; err == nil && count > 0; count-- {
		_, err = c.item(depth + 1)
	}
	return err
}

func (c *checker) mapping(count uint64, depth int) error {
	if count > math.MaxInt64/2 {
		return c.fail("ends within %d pairs", count)
	}
	if err := c.nested(2*count, depth); err != nil {
		return err
	}
	var keys keySet
	for ; count > 0; count-- {
		start := c.at
		h, err := c.head()
		if err != nil {
			return err
		}
		if h.major != majorText {
			c.at = start
			return c.fail("a map key that is not text")
		}
		key, err := c.text(h)
		if err != nil {
			return err
		}
		if !keys.add(key) {
			c.at = start
			return c.fail("duplicate key %q", key)
		}
		if _, err := c.item(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// keySet finds duplicates. Events have few fields: up to its array's size it
// allocates nothing.
type keySet struct {
	few   [16][]byte
	count int
	many  map[string]struct{}
}

func (s *keySet) add(key []byte) bool {
	if s.many == nil {
		for _, other := range s.few[:s.count] {
			if string(other) == string(key) {
				return false
			}
		}
		if s.count < len(s.few) {
			s.few[s.count] = key
			s.count++
			return true
		}
		s.many = make(map[string]struct{}, 4*len(s.few))
		for _, other := range s.few {
			s.many[string(other)] = struct{}{}
		}
	}
	if _, there := s.many[string(key)]; there {
		return false
	}
	s.many[string(key)] = struct{}{}
	return true
}
