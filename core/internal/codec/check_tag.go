// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"math"
	"strings"
	"time"

	"github.com/x448/float16"
)

// tag checks what a tag is put on. A tag that is not listed is refused: some
// decoders act on tags, by regular expressions or references to other values.
func (c *checker) tag(number uint64, depth int) error {
	if err := c.nested(1, depth); err != nil {
		return err
	}
	start := c.at
	var fits bool
	var err error
	switch {
	case number == tagDateTime:
		fits, err = c.dateTime()
	case number == tagBignum || number == tagNegativeBignum:
		_, fits, err = c.bytes()
	case number == tagUUID:
		var size int
		size, fits, err = c.bytes()
		fits = fits && size == 16
	case number == tagDecimal:
		fits, err = c.decimal(depth + 1)
	case number == tagArray:
		fits, err = c.multiDimensional(depth + 1)
	case number >= tagTypedFirst && number <= tagTypedLast && number != 76: // 76 is reserved in RFC 8746
		var size int
		size, fits, err = c.bytes()
		fits = fits && size%elementSize(number) == 0
	case number == tagEpoch:
		fits, err = c.epoch()
	case number == tagSelfDescribed:
		_, err = c.item(depth + 1)
		fits = true
	default:
		return c.fail("tag %d is not allowed", number)
	}
	if err == nil && !fits {
		c.at = start
		err = c.fail("tag %d on a value that it does not fit", number)
	}
	return err
}

// bytes checks a byte string and returns its size.
func (c *checker) bytes() (size int, isBytes bool, err error) {
	h, err := c.head()
	if err != nil || h.major != majorBytes {
		return 0, false, err
	}
	content, err := c.content(h)
	return len(content), true, err
}

func (c *checker) dateTime() (bool, error) {
	h, err := c.head()
	if err != nil || h.major != majorText {
		return false, err
	}
	content, err := c.text(h)
	if err != nil {
		return false, err
	}
	return isDateTime(string(content)), nil
}

// isDateTime is stricter than time.Parse, which takes hours of one digit, a comma
// before the fraction and offsets of 24 hours. The year is the one written: that
// is what Python's calendar bounds.
func isDateTime(s string) bool {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1 || t.Year() > 9999 || strings.IndexByte(s, ',') >= 0 || s[13] != ':' {
		return false
	}
	if s[len(s)-1] == 'Z' {
		return true
	}
	offset := s[len(s)-5:] // hh:mm
	return offset[:2] < "24" && offset[3:] < "60"
}

// inCalendar tells whether every language has a time for these seconds since
// 1970: Python's end with the years 1 and 9999, and NaN is none.
func inCalendar(seconds float64) bool { return -62135596800 <= seconds && seconds < 253402300800 }

// epoch checks a number of seconds since 1970.
func (c *checker) epoch() (bool, error) {
	h, err := c.head()
	if err != nil {
		return false, err
	}
	switch {
	case h.major == majorUint:
		return inCalendar(float64(h.value)), nil
	case h.major == majorNegative:
		return inCalendar(-1 - float64(h.value)), nil
	case h.major != majorSimple:
		return false, nil
	}
	switch h.info {
	case 25:
		return inCalendar(float64(float16.Frombits(uint16(h.value)).Float32())), nil
	case 26:
		return inCalendar(float64(math.Float32frombits(uint32(h.value)))), nil
	case 27:
		return inCalendar(math.Float64frombits(h.value)), nil
	}
	return false, nil
}

// maxExponent is the largest that Python's decimal counts to, less what a mantissa
// of the largest event adds.
const maxExponent = 999_999_000_000_000_000

// decimal checks [exponent, mantissa]: an integer, and an integer or bignum.
func (c *checker) decimal(depth int) (bool, error) {
	h, err := c.head()
	if err != nil || h.major != majorArray || h.value != 2 {
		return false, err
	}
	if err := c.nested(2, depth); err != nil {
		return false, err
	}
	exponent, err := c.item(depth + 1)
	if err != nil || exponent.major > majorNegative || exponent.value > maxExponent {
		return false, err
	}
	mantissa, err := c.item(depth + 1)
	bignum := mantissa.major == majorTag && (mantissa.value == tagBignum || mantissa.value == tagNegativeBignum)
	return mantissa.major <= majorNegative || bignum, err
}

// multiDimensional checks [dimensions, elements] of RFC 8746, section 3.1.1.
func (c *checker) multiDimensional(depth int) (bool, error) {
	h, err := c.head()
	if err != nil || h.major != majorArray || h.value != 2 {
		return false, err
	}
	if err := c.nested(2, depth); err != nil {
		return false, err
	}
	dimensions, err := c.head()
	if err != nil || dimensions.major != majorArray {
		return false, err
	}
	if err := c.nested(dimensions.value, depth+1); err != nil {
		return false, err
	}
	total := uint64(1)
	for range dimensions.value {
		n, err := c.head()
		if err != nil || n.major != majorUint {
			return false, err
		}
		total = saturatingMultiply(total, n.value)
	}
	at := c.at
	elements, err := c.item(depth + 1)
	if err != nil {
		return false, err
	}
	switch {
	case elements.major == majorArray:
		return elements.value == total, nil
	case elements.major == majorTag && elements.value >= tagTypedFirst && elements.value <= tagTypedLast:
		return c.typedCount(at, elements.value) == total, nil
	}
	return false, nil
}

// typedCount is the number of elements of the checked typed array at an offset.
func (c *checker) typedCount(at int, number uint64) uint64 {
	again := checker{data: c.data, at: at}
	_, _ = again.head()
	h, _ := again.head()
	return h.value / uint64(elementSize(number))
}

func saturatingMultiply(a, b uint64) uint64 {
	if a != 0 && b > ^uint64(0)/a {
		return ^uint64(0)
	}
	return a * b
}

// elementSize is the size in bytes that a typed array's tag stands for: its bits
// are 010fsell, with 2^(f+ll) bytes (RFC 8746, section 2.1).
func elementSize(number uint64) int {
	float, width := number>>4&1, number&3
	return 1 << (float + width)
}
