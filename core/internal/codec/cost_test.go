// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

//go:build !race

// The race detector makes everything twenty times slower, so it has no say here.

package codec_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/codec"
)

// TestRefusingAPayloadCostsLittle measures the best of several runs: a loaded
// machine makes the others longer, and the collector's own memory is not ours.
func TestRefusingAPayloadCostsLittle(t *testing.T) {
	const runs, longest, largest = 10, time.Millisecond, 64 << 10
	var slowest time.Duration
	var most uint64
	refused := 0
	for _, v := range everyPayload(t) {
		if v.Status == "OK" || v.Format == "JSON" {
			continue
		}
		refused++
		payload := v.PayloadHex.Bytes(t)
		for _, refuse := range []func() bool{
			func() bool { return codec.Check(payload) != nil },
			func() bool { return codec.FormatOf(payload) == codec.Other },
			func() bool { return codec.Decode(payload, new(map[string]any)) != nil },
		} {
			took, allocated := best(t, runs, refuse)
			assert.LessOrEqual(t, took, longest, v.ID)
			assert.LessOrEqual(t, allocated, uint64(largest), v.ID)
			slowest, most = max(slowest, took), max(most, allocated)
		}
	}
	fmt.Printf(`fault {"row": 8, "figure": "%d refused, each in at most %d µs and %.1f KiB"}`+"\n",
		refused, slowest.Microseconds(), float64(most)/1024)
}

// best is the shortest time and the least memory of some runs.
func best(t *testing.T, runs int, run func() bool) (took time.Duration, allocated uint64) {
	took, allocated = time.Hour, ^uint64(0)
	var before, after runtime.MemStats
	for range runs {
		runtime.ReadMemStats(&before)
		start := time.Now()
		refused := run()
		took = min(took, time.Since(start))
		runtime.ReadMemStats(&after)
		allocated = min(allocated, after.TotalAlloc-before.TotalAlloc)
		require.True(t, refused)
	}
	return took, allocated
}
