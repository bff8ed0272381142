// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec_test

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/tests/vectors"
)

var formats = map[string]codec.Format{"OTHER": codec.Other, "CBOR": codec.CBOR, "JSON": codec.JSON}

func TestPayloadVerdictIsWhatTheVectorsSay(t *testing.T) {
	for _, v := range vectors.Load[vectors.Payload](t, "payloads.json") {
		t.Run(v.ID, func(t *testing.T) {
			payload := v.PayloadHex.Bytes(t)
			assert.Equal(t, formats[v.Format], codec.FormatOf(payload))
			err := codec.Check(payload)
			var decoded map[string]any
			decodeErr := codec.Decode(payload, &decoded)
			if v.Status == "OK" {
				assert.NoError(t, err)
				assert.NoError(t, decodeErr)
				return
			}
			require.Equal(t, "E_PAYLOAD", v.Status)
			require.ErrorIs(t, err, codec.ErrPayload)
			require.ErrorIs(t, decodeErr, codec.ErrPayload)
			assert.Contains(t, strings.ToLower(err.Error()), strings.ToLower(v.Reason))
		})
	}
}

type inner struct {
	Unit string `cbor:"unit"`
}

type reading struct {
	Time   time.Time         `cbor:"time"`
	Kelvin float64           `cbor:"kelvin"`
	Raw    []byte            `cbor:"raw"`
	Count  int64             `json:"count"` // a json tag does where there is no cbor tag
	Large  *big.Int          `cbor:"large"`
	Inner  inner             `cbor:"inner"`
	List   []float64         `cbor:"list"`
	Map    map[string]int    `cbor:"map"`
	None   *string           `cbor:"none"`
	Trace  arrayOf           `cbor:"trace"`
	Texts  map[string]string `cbor:"texts"`
}

type arrayOf struct {
	shape []int
	data  []float64
}

func (a arrayOf) MarshalCBOR() ([]byte, error) { return codec.EncodeArray(a.shape, a.data) }

func (a *arrayOf) UnmarshalCBOR(b []byte) (err error) {
	a.shape, a.data, err = codec.DecodeArray[float64](b)
	return err
}

func TestStructSurvivesCBOR(t *testing.T) {
	large, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	in := reading{
		Time:   time.Date(2026, 11, 23, 14, 5, 6, 123456000, time.FixedZone("", 5400)),
		Kelvin: 4.2, Raw: []byte{0xff, 0}, Count: -5, Large: large, Inner: inner{"mK"},
		List: []float64{1, math.Inf(1)}, Map: map[string]int{"a": 1},
		Trace: arrayOf{[]int{2, 2}, []float64{1, 2, 3, 4}},
		Texts: map[string]string{"é": "NaN"},
	}
	payload, err := codec.Encode(in)
	require.NoError(t, err)
	require.Equal(t, codec.CBOR, codec.FormatOf(payload))
	var out reading
	require.NoError(t, codec.Decode(payload, &out))
	assert.True(t, in.Time.Equal(out.Time))
	_, offset := out.Time.Zone()
	assert.Equal(t, 5400, offset)
	out.Time = in.Time
	assert.Equal(t, in, out)
}

func TestJSONFillsTheSameStruct(t *testing.T) {
	var out reading
	require.NoError(t, codec.Decode([]byte(`{"time":"2026-11-23T14:05:06.123456+01:30","kelvin":"NaN",
		"count":-5,"large":123456789012345678901234567890,"inner":{"unit":"mK"},
		"list":[1,"-Infinity",2.5],"map":{"a":1},"none":null,"unknown":[1],"texts":{"x":"NaN"}}`), &out))
	assert.True(t, math.IsNaN(out.Kelvin))
	assert.Equal(t, []float64{1, math.Inf(-1), 2.5}, out.List)
	assert.Equal(t, int64(-5), out.Count)
	assert.Equal(t, "123456789012345678901234567890", out.Large.String())
	assert.Equal(t, "mK", out.Inner.Unit)
	assert.Equal(t, "NaN", out.Texts["x"], "text stays text where no float is wanted")
	assert.Equal(t, 123456000, out.Time.Nanosecond())
}

func TestTimesAreThoseThatEveryLanguageHas(t *testing.T) {
	for text, good := range map[string]bool{
		"2026-11-23T14:05:06Z": true, "2026-11-23T14:05:06.123456789+23:59": true,
		"0001-01-01T00:00:00+01:00": true, "9999-12-31T23:59:59-01:00": true,
		"2026-11-23T1:05:06Z": false, "2026-11-23T14:05:06,5Z": false, "2026-11-23T14:05:06+24:00": false,
		"2026-11-23T14:05:06+23:60": false, "0000-12-31T23:30:00-01:00": false, "2026-11-23": false,
		"2026-02-30T00:00:00Z": false, "": false, "2026-11-23T14:05:06": false, "2026-11-23T14:05:06.Z": false,
		"2026-11-23T24:00:00Z": false, "2026-11-23T14:60:06Z": false, "2026-11-23T14:05:60Z": false,
		"2026-11-23T14:05:06.5": false, "2026-11-23T14:05:06z": false, "2026-11-23 14:05:06Z": false,
		"2026-11-23T14:05:06-0100": false, "2026-11-23T14:05:06Z ": false, "2O26-11-23T14:05:06Z": false,
		"2026/11-23T14:05:06Z": false, "2026-11/23T14:05:06Z": false, "2026-11-23T14-05:06Z": false,
		"2026-11-23T14:05-06Z": false, "2026-11-23T14:05:06+01-00": false, "2026-11-23T14:05:06*01:00": false,
		"2026-11-2:T14:05:06Z": false, "2026-11-23T14:05:06.1234567890123-00:00": true,
	} {
		payload := append([]byte{0xa1, 0x61, 'a', 0xc0, 0x78, byte(len(text))}, text...)
		assert.Equal(t, good, codec.CheckCBOR(payload) == nil, text)
	}
}

func TestExponentsAreThoseThatPythonHas(t *testing.T) {
	for hex, good := range map[vectors.Hex]bool{
		"a1 6161 c4 82 20 01": true, "a1 6161 c4 82 1b0de0b5cad2bef000 01": true,
		"a1 6161 c4 82 1b0fffffffffffffff 01": false, "a1 6161 c4 82 3b0fffffffffffffff 01": false,
	} {
		assert.Equal(t, good, codec.CheckCBOR(hex.Bytes(t)) == nil, hex)
	}
}

func TestStructSurvivesJSON(t *testing.T) {
	payload, err := codec.EncodeJSON(struct {
		Count  int64   `json:"count"`
		Kelvin float64 `json:"kelvin"`
	}{-5, 4.2})
	require.NoError(t, err)
	require.Equal(t, codec.JSON, codec.FormatOf(payload))
	var out reading
	require.NoError(t, codec.Decode(payload, &out))
	assert.Equal(t, int64(-5), out.Count)
	assert.Equal(t, 4.2, out.Kelvin)
	_, err = codec.EncodeJSON(math.NaN())
	assert.ErrorIs(t, err, codec.ErrPayload)
	_, err = codec.EncodeJSON([]int{1})
	assert.ErrorIs(t, err, codec.ErrPayload, "a list is no event")
}

func TestJSONErrorsSayWhere(t *testing.T) {
	assert.ErrorContains(t, codec.Check([]byte(`{"a":x}`)), "JSON at byte 6")
}

func TestEncodeRefusesWhatTheWireRefuses(t *testing.T) {
	_, err := codec.Encode([]int{1, 2})
	assert.ErrorIs(t, err, codec.ErrPayload, "a list is no event")
	_, err = codec.Encode(map[int]string{1: "a"})
	assert.ErrorIs(t, err, codec.ErrPayload, "keys are text")
	_, err = codec.Encode(map[string]any{"c": make(chan int)})
	assert.ErrorIs(t, err, codec.ErrPayload)
}

func TestArrayReadsEveryElementTypeAndOrder(t *testing.T) {
	for name, hex := range map[string]vectors.Hex{
		"uint8": "d840 42 0102", "clamped": "d844 42 0102", "uint16 big": "d841 44 00010002",
		"uint16 little": "d845 44 01000200", "uint32 big": "d842 48 0000000100000002",
		"uint64 little": "d847 50 0100000000000000 0200000000000000", "int8": "d848 42 0102",
		"int16 little": "d84d 44 01000200", "int32 big": "d84a 48 0000000100000002",
		"int64 big": "d84b 50 0000000000000001 0000000000000002", "float32 little": "d855 48 0000803f 00000040",
		"float64 big": "d852 50 3ff0000000000000 4000000000000000", "plain": "82 01 02",
	} {
		t.Run(name, func(t *testing.T) {
			shape, floats, err := codec.DecodeArray[float64](hex.Bytes(t))
			require.NoError(t, err)
			assert.Equal(t, []int{2}, shape)
			assert.Equal(t, []float64{1, 2}, floats)
			_, small, err := codec.DecodeArray[int8](hex.Bytes(t))
			require.NoError(t, err)
			assert.Equal(t, []int8{1, 2}, small)
		})
	}
}

func TestArrayElementThatDoesNotFitIsAnError(t *testing.T) {
	_, _, err := codec.DecodeArray[int8](vectors.Hex("d841 42 0100").Bytes(t))
	assert.ErrorIs(t, err, codec.ErrPayload)
	_, _, err = codec.DecodeArray[uint64](vectors.Hex("d848 41 ff").Bytes(t))
	assert.ErrorIs(t, err, codec.ErrPayload)
	_, _, err = codec.DecodeArray[int64](vectors.Hex("d852 48 3ff8000000000000").Bytes(t))
	assert.ErrorIs(t, err, codec.ErrPayload)
}

func TestArrayKeepsItsShape(t *testing.T) {
	payload, err := codec.EncodeArray([]int{2, 3}, []int16{1, 2, 3, 4, 5, -6})
	require.NoError(t, err)
	shape, data, err := codec.DecodeArray[int16](payload)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 3}, shape)
	assert.Equal(t, []int16{1, 2, 3, 4, 5, -6}, data)
	_, err = codec.EncodeArray([]int{4}, []int16{1})
	assert.ErrorIs(t, err, codec.ErrPayload)
}

func TestCheckingAnOrdinaryEventAllocatesNothing(t *testing.T) {
	payload, err := codec.Encode(map[string]any{"time": time.Now(), "kelvin": 4.2, "inner": map[string]any{"unit": "mK"}})
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = codec.CheckCBOR(payload) }))
}

// FuzzCheckedPayloadDecodes: what the checker accepts, the decoder reads.
func FuzzCheckedPayloadDecodes(f *testing.F) {
	for _, v := range vectors.Load[vectors.Payload](f, "payloads.json") {
		if len(v.PayloadHex) < 1000 {
			f.Add(v.PayloadHex.Bytes(f))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if codec.FormatOf(payload) != codec.CBOR {
			return
		}
		var v map[string]any
		if err := codec.Decode(payload, &v); err != nil {
			t.Fatalf("%x: %v", payload, err)
		}
	})
}
