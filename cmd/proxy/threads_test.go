// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func threads(t *testing.T) int {
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(tasks)
}

func TestThreadsThatHaveBeenHeldAreThereForTheNext(t *testing.T) {
	before := threads(t)
	holdThreads(before + 10)
	made := threads(t)
	assert.GreaterOrEqual(t, made, before+10)
	holdThreads(before + 5)
	assert.Equal(t, made, threads(t))
}
