// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// TestPanicIsAStatusAndPoisonsTheLibrary runs in a process of its own: afterwards
// the library refuses every call there, for good.
func TestPanicIsAStatusAndPoisonsTheLibrary(t *testing.T) {
	const inside = "JUICEBUS_TEST_PANIC"
	if os.Getenv(inside) == "" {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), inside+"=1")
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		return
	}
	handle := handleOf(t, newSubscriber(t))
	result := status(nil) // an int of C, which a test cannot name
	func() {
		defer guard(&result)
		panic("a defect")
	}()
	assert.EqualValues(t, -9, result)
	assert.ErrorContains(t, core.Poisoned(), "a defect")
	_, err := get[*core.Subscriber](handle, subscriberKind)
	assert.ErrorIs(t, err, core.ErrPanic)
	_, err = core.NewPublisher("tcp://127.0.0.1:1")
	assert.ErrorIs(t, err, core.ErrPanic)
}
