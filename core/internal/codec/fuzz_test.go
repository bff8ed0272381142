// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/juicebus/juicebus/core/internal/codec"
)

// addPayloads makes the vectors the seeds. Those of 100,000 repeated bytes would only
// slow the fuzzer down.
func addPayloads(f *testing.F) {
	for _, v := range everyPayload(f) {
		if payload := v.PayloadHex.Bytes(f); len(payload) < 1000 {
			f.Add(payload)
		}
	}
}

// strict is another judge of CBOR, where it has an option for what ours asks.
var strict = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, UTF8: cbor.UTF8RejectInvalid,
		MaxNestedLevels: 1000, MaxArrayElements: 1<<31 - 1, MaxMapPairs: 1<<31 - 1,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// FuzzVerdict: the verdicts on a payload agree with each other, with what decoding
// says, and with another implementation's.
func FuzzVerdict(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := slices.Clone(payload)
		format, err := codec.FormatOf(payload), codec.Check(payload)
		if err != nil && !errors.Is(err, codec.ErrPayload) {
			t.Fatalf("an error of another kind: %v", err)
		}
		if format == codec.Other && err == nil {
			t.Fatal("good, but of no format")
		}
		if format == codec.CBOR && err != nil {
			t.Fatalf("CBOR, but bad: %v", err)
		}
		var fields map[string]any
		if decodeErr := codec.Decode(payload, &fields); (decodeErr == nil) != (err == nil) {
			t.Fatalf("the check said %v, decoding %v", err, decodeErr)
		}
		if format == codec.CBOR && strict.Wellformed(payload) != nil {
			t.Fatalf("good here, but not well-formed: %v", strict.Wellformed(payload))
		}
		if format == codec.JSON && (err == nil) != (json.Valid(payload) && bytes.Equal(payload, bytes.ToValidUTF8(payload, nil))) {
			t.Fatalf("JSON: %v", err)
		}
		if !bytes.Equal(before, payload) {
			t.Fatal("the payload was changed")
		}
	})
}

// FuzzEncodeAgain: what was decoded can be published again, and is the same then.
func FuzzEncodeAgain(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		var fields, again map[string]any
		if codec.FormatOf(payload) != codec.CBOR || codec.Decode(payload, &fields) != nil {
			return
		}
		first, err := codec.Encode(fields)
		if err != nil {
			return // a tag without a Go type of its own, in a place where it does not fit
		}
		if err := codec.Decode(first, &again); err != nil {
			t.Fatalf("%x: %v", first, err)
		}
		if len(again) != len(fields) {
			t.Fatalf("%d fields became %d", len(fields), len(again))
		}
	})
}

// FuzzArray: the typed arrays that the checker lets pass are read or refused, and what
// was read is written and read back.
func FuzzArray(f *testing.F) {
	for _, v := range everyPayload(f) {
		if item, wrapped := bytes.CutPrefix(v.PayloadHex.Bytes(f), []byte{0xa1, 0x61, 'a'}); wrapped && len(item) < 1000 {
			f.Add(item)
		}
	}
	f.Fuzz(func(t *testing.T, item []byte) {
		if codec.CheckCBOR(slices.Concat([]byte{0xa1, 0x61, 'a'}, item)) != nil {
			return
		}
		shape, data, err := codec.DecodeArray[float64](item)
		if err != nil {
			return
		}
		written, err := codec.EncodeArray(shape, data)
		if err != nil {
			t.Fatalf("%v: %v", shape, err)
		}
		shapeAgain, dataAgain, err := codec.DecodeArray[float64](written)
		if err != nil || !slices.Equal(shape, shapeAgain) || len(data) != len(dataAgain) {
			t.Fatalf("%v of %d became %v of %d: %v", shape, len(data), shapeAgain, len(dataAgain), err)
		}
		for i := range data {
			if data[i] != dataAgain[i] && data[i] == data[i] {
				t.Fatalf("element %d: %v became %v", i, data[i], dataAgain[i])
			}
		}
	})
}
