// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain ends with a check that no test left a goroutine behind: everything was
// closed by then, so housekeeping too has nothing left to tend.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := goroutinesLeft(deadline); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines that outlive what was closed:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft waits until all goroutines but this one have ended, and returns the
// stacks of those that have not.
func goroutinesLeft(within time.Duration) string {
	for end := time.Now().Add(within); ; runtime.Gosched() {
		all := make([]byte, 1<<20)
		all = all[:runtime.Stack(all, true)]
		_, others, _ := strings.Cut(string(all), "\n\n") // the first is this one
		if others == "" || time.Now().After(end) {
			return others
		}
		time.Sleep(10 * time.Millisecond)
	}
}
