// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// encoding writes a value as the wire wants it: times as tag 0 with their offset
// and nanoseconds, floats as float64, definite lengths.
var encoding = sync.OnceValues(func() (cbor.EncMode, error) {
	return cbor.EncOptions{
		Time:            cbor.TimeRFC3339Nano,
		TimeTag:         cbor.EncTagRequired,
		IndefLength:     cbor.IndefLengthForbidden,
		NilContainers:   cbor.NilContainerAsNull,
		BigIntConvert:   cbor.BigIntConvertShortest,
		TextMarshaler:   cbor.TextMarshalerTextString,
		BinaryMarshaler: cbor.BinaryMarshalerByteString,
	}.EncMode()
})

// decoding has the checker's limits, not its own tighter ones: the checker has
// already decided.
var decoding = sync.OnceValues(func() (cbor.DecMode, error) {
	return cbor.DecOptions{
		MaxNestedLevels:   MaxDepth + 1, // fxamacker counts the scalar inside too
		MaxArrayElements:  1<<31 - 1,
		MaxMapPairs:       1<<31 - 1,
		IndefLength:       cbor.IndefLengthForbidden,
		DefaultMapType:    reflect.TypeFor[map[string]any](),
		TextUnmarshaler:   cbor.TextUnmarshalerTextString,
		BinaryUnmarshaler: cbor.BinaryUnmarshalerByteString,
	}.DecMode()
})

// Encode turns a struct or a map into a CBOR payload and checks it, so that what
// the wire refuses is found here.
func Encode(v any) ([]byte, error) {
	mode, err := encoding()
	if err != nil {
		return nil, err
	}
	payload, err := mode.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: encode %T: %w", ErrPayload, v, err)
	}
	return payload, CheckCBOR(payload)
}

// Decode reads a payload of either format into what v points to.
func Decode(payload []byte, v any) error {
	switch FormatOf(payload) {
	case CBOR:
		return decodeCBOR(payload, v)
	case JSON:
		return decodeJSON(payload, v)
	}
	return Check(payload)
}

func decodeCBOR(payload []byte, v any) error {
	mode, err := decoding()
	if err != nil {
		return err
	}
	if err := mode.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("%w: decode CBOR into %T: %w", ErrPayload, v, err)
	}
	return nil
}
