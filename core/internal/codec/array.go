// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/fxamacker/cbor/v2"
)

// Number is what an array's elements may be.
type Number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// typedTag is the little-endian typed array of each element type (RFC 8746,
// section 2.1).
func typedTag[T Number]() uint64 {
	switch any(*new(T)).(type) {
	case uint8:
		return 64
	case uint16:
		return 69
	case uint32:
		return 70
	case uint64:
		return 71
	case int8:
		return 72
	case int16:
		return 77
	case int32:
		return 78
	case int64:
		return 79
	case float32:
		return 85
	}
	return 86
}

// EncodeArray writes numbers as a typed array, and with a shape of other than one
// dimension as a row-major multi-dimensional one.
func EncodeArray[T Number](shape []int, data []T) ([]byte, error) {
	total := 1
	for _, n := range shape {
		total *= n
	}
	if shape != nil && total != len(data) {
		return nil, fmt.Errorf("%w: shape %v for %d elements", ErrPayload, shape, len(data))
	}
	content, err := binary.Append(nil, binary.LittleEndian, data)
	if err != nil {
		return nil, err
	}
	typed := cbor.Tag{Number: typedTag[T](), Content: content}
	if shape == nil || len(shape) == 1 {
		return cbor.Marshal(typed)
	}
	return cbor.Marshal(cbor.Tag{Number: tagArray, Content: []any{shape, typed}})
}

// DecodeArray reads a typed array of any element type and byte order, row-major
// multi-dimensional ones, and plain arrays of numbers. An element that T cannot
// hold is an error.
func DecodeArray[T Number](payload []byte) (shape []int, data []T, err error) {
	var tag cbor.RawTag
	if cbor.Unmarshal(payload, &tag) != nil {
		err := decodeCBOR(payload, &data)
		return []int{len(data)}, data, err
	}
	if tag.Number != tagArray {
		data, err = decodeTyped[T](tag)
		return []int{len(data)}, data, err
	}
	var parts struct {
		_     struct{} `cbor:",toarray"`
		Shape []int
		Data  cbor.RawMessage
	}
	if err := decodeCBOR(tag.Content, &parts); err != nil {
		return nil, nil, err
	}
	_, data, err = DecodeArray[T](parts.Data)
	return parts.Shape, data, err
}

func decodeTyped[T Number](tag cbor.RawTag) ([]T, error) {
	var content []byte
	if tag.Number < tagTypedFirst || tag.Number > tagTypedLast || cbor.Unmarshal(tag.Content, &content) != nil {
		return nil, fmt.Errorf("%w: tag %d is no typed array", ErrPayload, tag.Number)
	}
	var order binary.ByteOrder = binary.BigEndian
	if tag.Number&4 != 0 {
		order = binary.LittleEndian
	}
	switch tag.Number {
	case 64, 68:
		return elements[uint8, T](content, order)
	case 65, 69:
		return elements[uint16, T](content, order)
	case 66, 70:
		return elements[uint32, T](content, order)
	case 67, 71:
		return elements[uint64, T](content, order)
	case 72:
		return elements[int8, T](content, order)
	case 73, 77:
		return elements[int16, T](content, order)
	case 74, 78:
		return elements[int32, T](content, order)
	case 75, 79:
		return elements[int64, T](content, order)
	case 81, 85:
		return elements[float32, T](content, order)
	case 82, 86:
		return elements[float64, T](content, order)
	}
	return nil, fmt.Errorf("%w: Go has no type for the elements of tag %d", ErrPayload, tag.Number)
}

func elements[From, To Number](content []byte, order binary.ByteOrder) ([]To, error) {
	from := make([]From, len(content)/binary.Size(*new(From)))
	if _, err := binary.Decode(content, order, from); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	if same, ok := any(from).([]To); ok {
		return same, nil
	}
	to := make([]To, len(from))
	for i, element := range from {
		to[i] = To(element)
		if From(to[i]) != element && !math.IsNaN(float64(element)) || (to[i] < 0) != (element < 0) {
			return nil, fmt.Errorf("%w: element %v does not fit into %T", ErrPayload, element, to[i])
		}
	}
	return to, nil
}
