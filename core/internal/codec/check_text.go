// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"encoding/binary"
	"unicode/utf8"
)

// text checks a map's key, or another text, together with its head. Nearly all have
// fewer than 24 bytes, so that the first byte says how many.
func (c *checker) text(at int) (content []byte, end int, err error) {
	if at < len(c.data) {
		size := c.data[at] - majorText<<5
		begin := at + 1
		end = begin + int(size)
		if size < 24 && end <= len(c.data) {
			content = c.data[begin:end:end]
			if isASCII(content) {
				return content, end, nil
			}
		}
	}
	h, inside, err := c.head(at)
	if err != nil {
		return nil, 0, err
	}
	if h.major != majorText {
		return nil, 0, c.fail(at, "a map key that is not text")
	}
	return c.textContent(inside, h)
}

func (c *checker) content(at int, h head) (content []byte, end int, err error) {
	if h.value > uint64(len(c.data)-at) {
		return nil, 0, c.fail(at, "ends within a string of %d bytes", h.value)
	}
	end = at + int(h.value)
	return c.data[at:end:end], end, nil
}

func (c *checker) textContent(at int, h head) (content []byte, end int, err error) {
	content, end, err = c.content(at, h)
	if err == nil && !isUTF8(content) {
		err = c.fail(at, "text that is not UTF-8")
	}
	return content, end, err
}

const highBits = 0x8080808080808080

// isUTF8 spares short texts utf8.Valid, which takes long ones in strides, but goes
// byte by byte through a short one.
func isUTF8(text []byte) bool {
	return len(text) < 64 && isASCII(text) || utf8.Valid(text)
}

// isASCII looks at eight or four bytes at a time, at some of the last ones twice.
func isASCII(text []byte) bool {
	n := len(text)
	if n >= 8 {
		for i := 0; i < n-8; i += 8 {
			if binary.LittleEndian.Uint64(text[i:])&highBits != 0 {
				return false
			}
		}
		return binary.LittleEndian.Uint64(text[n-8:])&highBits == 0
	}
	if n >= 4 {
		return (binary.LittleEndian.Uint32(text)|binary.LittleEndian.Uint32(text[n-4:]))&(highBits>>32) == 0
	}
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
