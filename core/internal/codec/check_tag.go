// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

// tag checks what a tag is put on. A tag that is not listed is refused: some
// decoders act on tags, by regular expressions or references to other values.
func (c *checker) tag(at int, number uint64, depth int) (end int, err error) {
	if err := c.nested(at, 1, depth); err != nil {
		return 0, err
	}
	var fits bool
	switch {
	case number == tagDateTime:
		fits, end, err = c.dateTime(at)
	case number == tagEpoch:
		fits, end, err = c.epoch(at)
	case number == tagBignum || number == tagNegativeBignum:
		_, fits, end, err = c.bytes(at)
	case number == tagUUID:
		var size int
		size, fits, end, err = c.bytes(at)
		fits = fits && size == 16
	case number == tagDecimal:
		fits, end, err = c.decimal(at, depth+1)
	case number == tagArray:
		fits, end, err = c.multiDimensional(at, depth+1)
	case number >= tagTypedFirst && number <= tagTypedLast && number != 76: // 76 is reserved in RFC 8746
		var size int
		size, fits, end, err = c.bytes(at)
		fits = fits && size%elementSize(number) == 0
	case number == tagSelfDescribed:
		end, err = c.item(at, depth+1)
		fits = true
	default:
		return 0, c.fail(at, "tag %d is not allowed", number)
	}
	if err == nil && !fits {
		err = c.fail(at, "tag %d on a value that it does not fit", number)
	}
	return end, err
}

// bytes checks a byte string and returns its size.
func (c *checker) bytes(at int) (size int, isBytes bool, end int, err error) {
	h, inside, err := c.head(at)
	if err != nil || h.major != majorBytes {
		return 0, false, 0, err
	}
	content, end, err := c.content(inside, h)
	return len(content), true, end, err
}

// maxExponent is the largest that Python's decimal counts to, less what a mantissa
// of the largest event adds.
const maxExponent = 999_999_000_000_000_000

// decimal checks [exponent, mantissa]: an integer, and an integer or bignum.
func (c *checker) decimal(at, depth int) (fits bool, end int, err error) {
	h, at, err := c.head(at)
	if err != nil || h.major != majorArray || h.value != 2 {
		return false, 0, err
	}
	if err := c.nested(at, 2, depth); err != nil {
		return false, 0, err
	}
	exponent, at, err := c.itemHead(at, depth+1)
	if err != nil || exponent.major > majorNegative || exponent.value > maxExponent {
		return false, 0, err
	}
	mantissa, end, err := c.itemHead(at, depth+1)
	bignum := mantissa.major == majorTag && (mantissa.value == tagBignum || mantissa.value == tagNegativeBignum)
	return mantissa.major <= majorNegative || bignum, end, err
}

// multiDimensional checks [dimensions, elements] of RFC 8746, section 3.1.1.
func (c *checker) multiDimensional(at, depth int) (fits bool, end int, err error) {
	h, at, err := c.head(at)
	if err != nil || h.major != majorArray || h.value != 2 {
		return false, 0, err
	}
	if err := c.nested(at, 2, depth); err != nil {
		return false, 0, err
	}
	dimensions, at, err := c.head(at)
	if err != nil || dimensions.major != majorArray {
		return false, 0, err
	}
	if err := c.nested(at, dimensions.value, depth+1); err != nil {
		return false, 0, err
	}
	total := uint64(1)
	for range dimensions.value {
		var n head
		if n, at, err = c.head(at); err != nil || n.major != majorUint {
			return false, 0, err
		}
		total = saturatingMultiply(total, n.value)
	}
	elements, end, err := c.itemHead(at, depth+1)
	if err != nil {
		return false, 0, err
	}
	switch {
	case elements.major == majorArray:
		fits = elements.value == total
	case elements.major == majorTag && elements.value >= tagTypedFirst && elements.value <= tagTypedLast:
		fits = c.typedCount(at, elements.value) == total
	}
	return fits, end, nil
}

// itemHead checks one data item and returns its head too.
func (c *checker) itemHead(at, depth int) (h head, end int, err error) {
	h, at, err = c.head(at)
	if err == nil {
		end, err = c.body(at, h, depth)
	}
	return h, end, err
}

// typedCount is the number of elements of the checked typed array at an offset.
func (c *checker) typedCount(at int, number uint64) uint64 {
	_, at, _ = c.head(at)
	h, _, _ := c.head(at)
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
