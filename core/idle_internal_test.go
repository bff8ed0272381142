// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/socket"
)

// A look every 5 ms allows for the same idle bytes a second as one every 100 ms.
func TestIdleBytesAreThoseOfTheTimeHoweverOftenOneLooks(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	to, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, to.Close()) }()
	from, err := listener.Accept()
	require.NoError(t, err)
	defer func() { require.NoError(t, from.Close()) }()
	file, err := to.(*net.TCPConn).File()
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	l := link{connection: socket.ConnectionOn(int(file.Fd()))}
	u := unfinished{looked: time.Now()}
	_, _ = u.look(&l, 0, 1<<20)
	_, err = from.Write(make([]byte, 1000))
	require.NoError(t, err)
	_, err = io.ReadFull(to, make([]byte, 1000))
	require.NoError(t, err)
	begun := time.Now()
	for time.Since(begun) < 500*time.Millisecond {
		time.Sleep(closeLook)
		_, _ = u.look(&l, 0, 1<<20)
	}
	assert.InDelta(t, time.Since(begun)/idleByteEach, u.start, 10)
}
