// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/codec"
)

func survives[T codec.Number](t *testing.T, data ...T) {
	t.Helper()
	payload, err := codec.EncodeArray(nil, data)
	require.NoError(t, err)
	shape, again, err := codec.DecodeArray[T](payload)
	require.NoError(t, err)
	assert.Equal(t, []int{len(data)}, shape)
	assert.Equal(t, data, again)
}

func TestArrayOfEachElementTypeSurvives(t *testing.T) {
	survives[uint8](t, 0, math.MaxUint8)
	survives[uint16](t, 0, math.MaxUint16)
	survives[uint32](t, 0, math.MaxUint32)
	survives[uint64](t, 0, math.MaxUint64)
	survives[int8](t, math.MinInt8, math.MaxInt8)
	survives[int16](t, math.MinInt16, math.MaxInt16)
	survives[int32](t, math.MinInt32, math.MaxInt32)
	survives[int64](t, math.MinInt64, math.MaxInt64)
	survives[float32](t, float32(math.Inf(-1)), math.SmallestNonzeroFloat32)
	survives(t, math.Inf(1), math.MaxFloat64)
}
