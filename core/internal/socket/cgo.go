// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #cgo CFLAGS: -std=c11 -Wall -Wextra -Wpedantic
// #cgo pkg-config: libzmq
import "C"
