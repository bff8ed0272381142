// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

//go:build faults

package main

// #cgo CFLAGS: -DJB_FAULTS
// #include "faults.h"
import "C"

import "github.com/juicebus/juicebus/core"

//export gojb_fault_broken_handle
func gojb_fault_broken_handle(k C.int, handle *C.uint64_t) (result C.int) {
	defer guard(&result)
	broken := map[kind]any{
		publisherKind: (*core.Publisher)(nil), subscriberKind: (*core.Subscriber)(nil), proxyKind: (*core.Proxy)(nil),
	}
	number, err := handles.add(kind(k), broken[kind(k)])
	if err != nil {
		return status(err)
	}
	*handle = C.uint64_t(number)
	return C.JUICEBUS_OK
}

//export gojb_fault_housekeeping
func gojb_fault_housekeeping() (result C.int) {
	defer guard(&result)
	core.PanicInHousekeeping()
	return C.JUICEBUS_OK
}
