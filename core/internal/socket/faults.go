// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

//go:build faults

package socket

// #cgo CFLAGS: -DJB_FAULTS
import "C"
