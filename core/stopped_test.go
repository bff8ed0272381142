// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

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
		// For another heartbeat, and three rounds. assert.Never may still ask when it
		// returns, and then of publishers that the test has closed.
		tick := time.NewTicker(10 * time.Millisecond)
		for range 35 {
			<-tick.C
			for _, p := range publishers {
				stats := publisherStats(t, p)
				require.True(t, stats.Connected)
				require.Zero(t, stats.Reconnects)
			}
		}
		tick.Stop()
	}
}
