// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import "github.com/juicebus/juicebus/core/internal/codec"

// Array is a field of an event that holds many numbers, such as a trace. It
// travels as one piece of memory (a typed array of RFC 8746), which is how NumPy
// arrays come from Python too. T is an integer of 8 to 64 bits, with or without
// sign, or a float of 32 or 64.
//
//	type Trace struct {
//		Volts core.Array[float64] `cbor:"volts"`
//	}
type Array[T codec.Number] struct {
	// Shape has the size of each dimension; nil means one dimension.
	Shape []int
	// Data has the elements in row-major order: the last dimension runs fastest.
	Data []T
}

// MarshalCBOR writes the array; encoders call it.
func (a Array[T]) MarshalCBOR() ([]byte, error) { return codec.EncodeArray(a.Shape, a.Data) }

// UnmarshalCBOR reads a typed array of any element type, or a plain array;
// decoders call it. An element that T cannot hold is an error.
func (a *Array[T]) UnmarshalCBOR(payload []byte) (err error) {
	a.Shape, a.Data, err = codec.DecodeArray[T](payload)
	return err
}
