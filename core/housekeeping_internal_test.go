// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// heldTender says on which thread it is tended, and holds that until it may go on.
type heldTender struct {
	thread chan int
	goOn   chan struct{}
}

func (h heldTender) tend() (calm bool) {
	h.thread <- syscall.Gettid()
	<-h.goOn
	return false
}

func (h heldTender) watch(*socket.Poller) {}

func TestHousekeepingHasAThreadToItself(t *testing.T) {
	held := heldTender{make(chan int), make(chan struct{})}
	housekeeping.add(held)
	thread := <-held.thread
	others := make([]int, 1000)
	var running sync.WaitGroup
	for i := range others {
		running.Go(func() {
			runtime.Gosched()
			others[i] = syscall.Gettid()
		})
	}
	running.Wait()
	housekeeping.remove(held)
	close(held.goOn)
	assert.NotContains(t, others, thread)
}
