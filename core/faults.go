// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

//go:build faults

package core

import "github.com/juicebus/juicebus/core/internal/socket"

// PanicInHousekeeping is for the fault tests: the goroutine that serves everybody
// panics in its next round.
func PanicInHousekeeping() { housekeeping.add(defect{}) }

type defect struct{}

func (defect) tend() bool { panic("a defect on purpose, in housekeeping") }

func (defect) watch(*socket.Poller) {}
