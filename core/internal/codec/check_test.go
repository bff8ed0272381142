// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/codec"
)

// usualEvent is what a sensor's event looks like: 133 bytes.
func usualEvent(t testing.TB) []byte {
	payload, err := codec.Encode(struct {
		Time   time.Time `cbor:"time"`
		Sensor string    `cbor:"sensor"`
		Unit   string    `cbor:"unit"`
		Kelvin float64   `cbor:"kelvin"`
		Ohms   float64   `cbor:"resistance"`
		Stable bool      `cbor:"stable"`
	}{time.Date(2026, 11, 23, 12, 34, 56, 789012000, time.UTC), "fridge.4K.mxc-flange", "kelvin (calibrated)", 4.21875, 1043.5, true})
	require.NoError(t, err)
	return payload
}

func BenchmarkCheckUsualEvent(b *testing.B) {
	payload := usualEvent(b)
	b.ReportAllocs()
	for b.Loop() {
		if codec.FormatOf(payload) != codec.CBOR {
			b.Fatal("refused")
		}
	}
}

func TestEventCutShortAnywhereIsRefused(t *testing.T) {
	payload := usualEvent(t)
	for size := range payload {
		assert.ErrorIs(t, codec.CheckCBOR(payload[:size]), codec.ErrPayload, size)
	}
}

func TestItemCutShortIsRefused(t *testing.T) {
	for first, size := range map[byte]int{
		0x18: 2, 0x1b: 9, 0x39: 3, 0x3a: 5, 0x43: 4, 0x63: 4, 0x78: 2, 0xf9: 3, 0xfa: 5, 0xfb: 9,
	} {
		payload := append([]byte{0xa1, 0x61, 'a', first}, make([]byte, size-1)...)
		assert.NoError(t, codec.CheckCBOR(payload), "%x", payload)
		assert.Error(t, codec.CheckCBOR(payload[:len(payload)-1]), "%x", payload)
	}
}

// textItem is a text with its head.
func textItem(text []byte) []byte {
	if len(text) < 24 {
		return append([]byte{0x60 | byte(len(text))}, text...)
	}
	return append([]byte{0x78, byte(len(text))}, text...)
}

func TestBadUTF8IsFoundAnywhereInAText(t *testing.T) {
	for size := range 100 {
		text := bytes.Repeat([]byte{'x'}, size)
		for at := range text {
			text[at] = 0xff
			asKey := append(append([]byte{0xa1}, textItem(text)...), 0xf6)
			asValue := append([]byte{0xa1, 0x61, 'a'}, textItem(text)...)
			assert.ErrorContains(t, codec.CheckCBOR(asKey), "UTF-8", "byte %d of %d", at, size)
			assert.ErrorContains(t, codec.CheckCBOR(asValue), "UTF-8", "byte %d of %d", at, size)
			text[at] = 'x'
		}
	}
}

func TestTextOfOtherThanASCIIIsGood(t *testing.T) {
	for _, text := range []string{"é", "größe", "温度计的温度", "a long one before the ohm sign: Ω"} {
		key := append(append([]byte{0xa1}, textItem([]byte(text))...), textItem([]byte(text))...)
		assert.NoError(t, codec.CheckCBOR(key), text)
	}
}

// mapOf is a map of nulls.
func mapOf(keys []string) []byte {
	payload := []byte{0xb8, byte(len(keys))}
	for _, key := range keys {
		payload = append(append(payload, textItem([]byte(key))...), 0xf6)
	}
	return payload
}

func TestDuplicateKeyIsFoundWhateverTheOtherKeysAre(t *testing.T) {
	for _, name := range []string{"%d", "channel %02d of the fridge"} {
		var keys []string
		for n := range 40 {
			keys = append(keys, fmt.Sprintf(name, n))
			require.NoError(t, codec.CheckCBOR(mapOf(keys)), keys)
			for _, key := range keys {
				assert.ErrorContains(t, codec.CheckCBOR(mapOf(append(keys[:len(keys):len(keys)], key))), "duplicate key", keys)
			}
		}
	}
}

func TestDaysAreThoseOfTheCalendar(t *testing.T) {
	for year := 1600; year <= 2000; year++ { // 400 years, and it begins again
		for month := range 14 {
			for _, day := range []int{0, 1, 28, 29, 30, 31, 32} {
				date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
				text := fmt.Sprintf("%04d-%02d-%02dT00:00:00Z", year, month, day)
				good := date.Year() == year && int(date.Month()) == month && date.Day() == day
				payload := append([]byte{0xa1, 0x61, 'a', 0xc0}, textItem([]byte(text))...)
				if (codec.CheckCBOR(payload) == nil) != good {
					t.Errorf("%s: %t", text, !good)
				}
			}
		}
	}
}
