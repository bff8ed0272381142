// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// A C library in Go that does nothing: what Go's runtime alone adds to a process.
package main

import "C"

//export Nothing
func Nothing() {}

func main() {}
