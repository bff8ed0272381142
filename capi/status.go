// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

// #include "exports.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/juicebus/juicebus/core"
)

// again is not a status for callers: wait, and try once more.
const again = C.GOJB_AGAIN

// statuses are what the errors of core are in C, in the order they are tried.
var statuses = []struct {
	is     error
	status C.int
}{
	{core.ErrPanic, C.JUICEBUS_E_PANIC},
	{core.ErrClosed, C.JUICEBUS_CLOSED},
	{core.ErrUnconfirmed, C.JUICEBUS_UNCONFIRMED},
	{core.ErrQueueFull, C.JUICEBUS_TIMEOUT},
	{core.ErrUnanswered, C.JUICEBUS_TIMEOUT},
	{core.ErrNotConnected, C.JUICEBUS_E_NOT_CONNECTED},
	{core.ErrPayload, C.JUICEBUS_E_PAYLOAD},
	{core.ErrTooLarge, C.JUICEBUS_E_TOO_LARGE},
	{core.ErrURI, C.JUICEBUS_E_URI},
	{core.ErrInvalid, C.JUICEBUS_E_INVALID},
	{errHandle, C.JUICEBUS_E_HANDLE},
}

// status turns an error into a status; a negative one leaves its text with the
// calling thread, as does that a proxy has not answered, which has a reason.
func status(err error) C.int {
	if err == nil {
		return C.JUICEBUS_OK
	}
	status := C.int(C.JUICEBUS_E_SYSTEM)
	var ambiguous *core.AmbiguousError
	if errors.As(err, &ambiguous) {
		status = C.JUICEBUS_E_AMBIGUOUS
	}
	for _, s := range statuses {
		if errors.Is(err, s.is) {
			status = s.status
			break
		}
	}
	if status < 0 || errors.Is(err, core.ErrUnanswered) {
		text := err.Error()
		C.gojb_set_error((*C.cchar_t)(unsafe.Pointer(unsafe.StringData(text))), C.size_t(len(text)))
	}
	return status
}

// guard is deferred first in every export: a panic may not pass into C, where it
// would end the host process.
func guard(result *C.int) {
	if value := recover(); value != nil {
		*result = status(core.Poison(value))
	}
}

// text is a C string without a copy: for calls that keep nothing.
func text(s *C.cchar_t) string {
	if s == nil {
		return ""
	}
	size := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(s), size)) != 0 {
		size++
	}
	return unsafe.String((*byte)(unsafe.Pointer(s)), size)
}

// memory is a run of C memory without a copy.
func memory(data unsafe.Pointer, size C.size_t) []byte {
	return unsafe.Slice((*byte)(data), int(size))
}

// fits tells whether C's memory has room for a string and its NUL.
func fits(s string, size C.size_t) error {
	if C.size_t(len(s)) >= size {
		return fmt.Errorf("juicebus: %w: %d bytes of memory for %d and a NUL", core.ErrInvalid, size, len(s))
	}
	return nil
}

// put writes a string and its NUL into C's memory.
func put(s string, to *C.char, size C.size_t) error {
	if err := fits(s, size); err != nil {
		return err
	}
	target := memory(unsafe.Pointer(to), size)
	target[copy(target, s)] = 0
	return nil
}

//export gojb_payload_check
func gojb_payload_check(data *C.cvoid_t, size C.size_t) (result C.int) {
	defer guard(&result)
	if err := core.Poisoned(); err != nil {
		return status(err)
	}
	return status(core.CheckPayload(memory(unsafe.Pointer(data), size)))
}
