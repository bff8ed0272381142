// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// TestPanicRefusesAllNewHandles runs in a process of its own: a panic there is for good.
func TestPanicRefusesAllNewHandles(t *testing.T) {
	const inside = "JUICEBUS_TEST_PANIC"
	if os.Getenv(inside) == "" {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), inside+"=1")
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		return
	}
	require.NoError(t, core.Poisoned())
	err := func() (err error) {
		defer core.Recover(&err)
		panic("a defect")
	}()
	require.ErrorIs(t, err, core.ErrPanic)
	require.ErrorContains(t, core.Poison("a later one"), "a later one")
	assert.ErrorContains(t, core.Poisoned(), "a defect", "the first one is kept")
	_, err = core.NewPublisher(nowhere)
	assert.ErrorIs(t, err, core.ErrPanic)
	_, err = core.NewSubscriber(nowhere)
	assert.ErrorIs(t, err, core.ErrPanic)
	_, err = core.NewProxy(nowhere, nowhere)
	assert.ErrorIs(t, err, core.ErrPanic)
}
