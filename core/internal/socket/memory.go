// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"bytes"
	"os"
	"strconv"
	"sync"
)

var statm = sync.OnceValue(func() *os.File {
	file, _ := os.Open("/proc/self/statm")
	return file
})

// ProcessMemory is what the process occupies, in bytes; 0 if that cannot be told.
func ProcessMemory() int64 {
	var text [128]byte
	n, _ := statm().ReadAt(text[:], 0)
	fields := bytes.Fields(text[:n])
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}
