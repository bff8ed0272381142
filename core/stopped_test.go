// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

// TestProcessThatWasStoppedKeepsItsConnection stops a process of its own: it has not asked
// for signs of life meanwhile, so that there were none says nothing.
func TestProcessThatWasStoppedKeepsItsConnection(t *testing.T) {
	const inside = "JUICEBUS_TEST_STOPPED"
	if os.Getenv(inside) == "" {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), inside+"=1")
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		return
	}
	proxy := startProxy(t)
	publishers := make([]*core.Publisher, 10)
	for i := range publishers {
		publishers[i] = newPublisher(t, proxy.PubURI(), core.Heartbeat(time.Duration(100+20*i)*time.Millisecond))
		require.NoError(t, publishers[i].WaitConnected(within(t, deadline)))
	}
	for range 3 {
		waking := exec.Command("sh", "-c", fmt.Sprintf("sleep 1.5; kill -CONT %d", os.Getpid()))
		require.NoError(t, waking.Start())
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGSTOP))
		require.NoError(t, waking.Wait())
		// For another heartbeat, and three rounds.
		assert.Never(t, func() bool {
			return slices.ContainsFunc(publishers, func(p *core.Publisher) bool {
				stats := publisherStats(t, p)
				return stats.Reconnects > 0 || !stats.Connected
			})
		}, 350*time.Millisecond, 10*time.Millisecond)
	}
}
