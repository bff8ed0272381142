// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// The first panic of this package poisons it: what it left behind is in an
// unknown state, and a host process must not die of it.
var poison atomic.Pointer[panicError]

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("juicebus: panic: %v; the library refuses all calls from now on\n%s", e.value, e.stack)
}

func (e *panicError) Unwrap() error { return ErrPanic }

// Poison notes a panic that was recovered elsewhere, and returns it as an error
// that matches [ErrPanic].
func Poison(value any) error {
	e := &panicError{value: value, stack: debug.Stack()}
	poison.CompareAndSwap(nil, e)
	socket.Poison()
	return e
}

// Recover turns a panic into an error: defer Recover(&err).
func Recover(err *error) {
	if value := recover(); value != nil {
		*err = Poison(value)
	}
}

// Poisoned returns the first panic as an error, or nil.
func Poisoned() error {
	if e := poison.Load(); e != nil {
		return e
	}
	return nil
}
