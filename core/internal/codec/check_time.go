// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"math"

	"github.com/x448/float16"
)

// dateTime checks a time as text.
func (c *checker) dateTime(at int) (fits bool, end int, err error) {
	h, inside, err := c.head(at)
	if err != nil || h.major != majorText {
		return false, 0, err
	}
	content, end, err := c.textContent(inside, h)
	return err == nil && isDateTime(content), end, err
}

// isDateTime is stricter than time.Parse, which takes hours of one digit, a comma
// before the fraction and offsets of 24 hours, and costs less. The year is the one
// written: that is what Python's calendar bounds.
func isDateTime(s []byte) bool {
	const seconds = len("2006-01-02T15:04:05")
	if len(s) <= seconds || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return false
	}
	century, years := twoDigits(s[0:]), twoDigits(s[2:])
	month, day := twoDigits(s[5:]), twoDigits(s[8:])
	if century > 99 || years > 99 || century+years == 0 || month < 1 || month > 12 || day < 1 ||
		day > daysIn(month, 100*century+years) {
		return false
	}
	return twoDigits(s[11:]) < 24 && twoDigits(s[14:]) < 60 && twoDigits(s[17:]) < 60 &&
		isOffset(afterFraction(s[seconds:]))
}

// twoDigits is the number of two digits, or something over 99 if they are none.
func twoDigits(s []byte) int {
	tens, ones := s[0]-'0', s[1]-'0'
	if tens > 9 || ones > 9 {
		return 100
	}
	return int(tens)*10 + int(ones)
}

func daysIn(month, year int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// afterFraction skips a fraction of a second, if there is one.
func afterFraction(s []byte) []byte {
	if len(s) < 2 || s[0] != '.' || s[1]-'0' > 9 {
		return s
	}
	for i, b := range s[1:] {
		if b-'0' > 9 {
			return s[1+i:]
		}
	}
	return nil
}

func isOffset(s []byte) bool {
	if len(s) == 1 {
		return s[0] == 'Z'
	}
	return len(s) == len("+15:04") && (s[0] == '+' || s[0] == '-') && twoDigits(s[1:]) < 24 &&
		s[3] == ':' && twoDigits(s[4:]) < 60
}

// inCalendar tells whether every language has a time for these seconds since
// 1970: Python's end with the years 1 and 9999, and NaN is none.
func inCalendar(seconds float64) bool { return -62135596800 <= seconds && seconds < 253402300800 }

// epoch checks a number of seconds since 1970.
func (c *checker) epoch(at int) (fits bool, end int, err error) {
	h, end, err := c.head(at)
	if err != nil {
		return false, 0, err
	}
	switch {
	case h.major == majorUint:
		fits = inCalendar(float64(h.value))
	case h.major == majorNegative:
		fits = inCalendar(-1 - float64(h.value))
	case h.major == majorSimple && h.info == 25:
		fits = inCalendar(float64(float16.Frombits(uint16(h.value)).Float32()))
	case h.major == majorSimple && h.info == 26:
		fits = inCalendar(float64(math.Float32frombits(uint32(h.value))))
	case h.major == majorSimple && h.info == 27:
		fits = inCalendar(math.Float64frombits(h.value))
	}
	return fits, end, nil
}
