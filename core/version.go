// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

// Version is the version of this package. It equals JUICEBUS_VERSION of
// juicebus.h, its owner; a test compares them.
const Version = "0.1.0"
