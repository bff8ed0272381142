// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"encoding/binary"
	"fmt"
	"math"
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
	c := checker{payload}
	end, err := c.top()
	if err == nil && end < len(payload) {
		err = c.fail(end, "%d bytes behind the map", len(payload)-end)
	}
	return err
}

// checker checks the items of a payload. Its methods take the offset of what they
// check and return the one behind it: in registers, offsets cost the least.
type checker struct {
	data []byte
}

// head is the beginning of a data item.
type head struct {
	major byte
	info  byte // the low five bits
	value uint64
}

func (c *checker) fail(at int, format string, args ...any) error {
	return fmt.Errorf("%w: CBOR at byte %d: %s", ErrPayload, at, fmt.Sprintf(format, args...))
}

func (c *checker) top() (int, error) {
	at, depth := 0, 1
	for {
		h, inside, err := c.head(at)
		if err != nil {
			return 0, err
		}
		switch {
		case h.major == majorMap:
			return c.mapping(inside, h.value, depth)
		case h.major == majorTag && h.value == tagSelfDescribed && depth < MaxDepth:
			at = inside
			depth++
		default:
			return 0, c.fail(at, "expected a map")
		}
	}
}

func (c *checker) head(at int) (h head, end int, err error) {
	if at >= len(c.data) {
		return h, 0, c.fail(at, "ends early")
	}
	h = head{major: c.data[at] >> 5, info: c.data[at] & 0x1f}
	size := 0
	switch {
	case h.info < 24:
		h.value = uint64(h.info)
	case h.info <= 27:
		size = 1 << (h.info - 24)
	case h.info == 31:
		return h, 0, c.fail(at, "indefinite length")
	default:
		return h, 0, c.fail(at, "reserved additional information %d", h.info)
	}
	end = at + 1 + size
	if end > len(c.data) {
		return h, 0, c.fail(at, "ends early")
	}
	argument := c.data[at+1 : end]
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
		return h, 0, c.fail(at, "simple value %d", h.value)
	}
	return h, end, nil
}

// scalarSize is the size of the items that are good whatever follows their first
// byte, by that byte: integers, false, true, null and floats. Of all others it is 0.
var scalarSize = func() (sizes [256]uint8) {
	for first := range sizes {
		c := checker{data: []byte{byte(first), 8: 0}}
		h, end, err := c.head(0)
		if err == nil && (h.major <= majorNegative || h.major == majorSimple) {
			sizes[first] = uint8(end)
		}
	}
	return sizes
}()

// item checks one data item. Numbers and short texts, which events are made of, take
// a short way.
func (c *checker) item(at, depth int) (end int, err error) {
	if at < len(c.data) {
		first := c.data[at]
		if size := int(scalarSize[first]); size > 0 && size <= len(c.data)-at {
			return at + size, nil
		}
		if first>>5 == majorText {
			_, end, err = c.text(at)
			return end, err
		}
	}
	h, inside, err := c.head(at)
	if err != nil {
		return 0, err
	}
	return c.body(inside, h, depth)
}

// body checks what follows a head.
func (c *checker) body(at int, h head, depth int) (end int, err error) {
	switch h.major {
	case majorBytes:
		_, end, err = c.content(at, h)
	case majorText:
		_, end, err = c.textContent(at, h)
	case majorArray:
		end, err = c.array(at, h.value, depth)
	case majorMap:
		end, err = c.mapping(at, h.value, depth)
	case majorTag:
		end, err = c.tag(at, h.value, depth)
	default:
		end = at
	}
	return end, err
}

// nested refuses what is too deep, and what declares more items than there are
// bytes, before anything is made of it.
func (c *checker) nested(at int, count uint64, depth int) error {
	if depth > MaxDepth {
		return c.fail(at, "nested over %d deep", MaxDepth)
	}
	if count > uint64(len(c.data)-at) {
		return c.fail(at, "ends within %d items", count)
	}
	return nil
}

func (c *checker) array(at int, count uint64, depth int) (end int, err error) {
	err = c.nested(at, count, depth)
	for ; err == nil && count > 0; count-- {
		at, err = c.item(at, depth+1)
	}
	return at, err
}

func (c *checker) mapping(at int, count uint64, depth int) (end int, err error) {
	if count > math.MaxInt64/2 {
		return 0, c.fail(at, "ends within %d pairs", count)
	}
	if err := c.nested(at, 2*count, depth); err != nil {
		return 0, err
	}
	var keys keySet
	for ; count > 0; count-- {
		key, value, err := c.text(at)
		if err != nil {
			return 0, err
		}
		if !keys.add(key) {
			return 0, c.fail(at, "duplicate key %q", key)
		}
		if at, err = c.item(value, depth+1); err != nil {
			return 0, err
		}
	}
	return at, nil
}
