// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Command capi is libjuicebus.so: the core behind the C ABI of juicebus.h.
//
// The public functions are trampolines in C. The exports here recover, look up
// the handle and make one call into core; there is no policy in this room.
package main

// #cgo CFLAGS: -std=c11 -Wall -Wextra -Wpedantic
import "C"

// main is never called: the library has no program of its own.
func main() {}
