// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// relay passes TCP connections on to an address, and can end them and refuse new
// ones, or fall silent with them open.
type relay struct {
	uri, target string

	mu     sync.Mutex
	conns  []net.Conn
	broken bool
	silent bool
	delay  time.Duration // of each piece that is passed on
	change *sync.Cond
}

// passedBytes are what it passes on at a time.
const passedBytes = 64 << 10

func newRelay(t testing.TB, target string) *relay {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{uri: "tcp://" + listener.Addr().String(), target: strings.TrimPrefix(target, "tcp://")}
	r.change = sync.NewCond(&r.mu)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.accept(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		r.speak()
		r.cut()
	})
	return r
}

func (r *relay) accept(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	onward, err := net.Dial("tcp", r.target)
	if err != nil || r.broken {
		_ = conn.Close()
		return
	}
	for _, end := range []net.Conn{conn, onward} {
		// Else its kernel takes in megabytes that a heartbeat then waits behind, unseen.
		if err := end.(*net.TCPConn).SetReadBuffer(passedBytes); err != nil {
			panic(err)
		}
	}
	r.conns = append(r.conns, conn, onward)
	go r.pass(conn, onward)
	go r.pass(onward, conn)
}

func (r *relay) pass(from, to net.Conn) {
	buffer := make([]byte, passedBytes)
	for {
		n, err := from.Read(buffer)
		r.mu.Lock()
		for r.silent {
			r.change.Wait()
		}
		delay := r.delay
		r.mu.Unlock()
		time.Sleep(delay)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// cut ends every connection and refuses new ones.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = true
	for _, conn := range r.conns {
		_ = conn.Close()
	}
	r.conns = nil
}

// mend lets new connections pass.
func (r *relay) mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = false
}

// slow lets each 64 KiB take a while.
func (r *relay) slow(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
}

// hush keeps connections open and passes nothing on.
func (r *relay) hush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = true
}

// speak ends that.
func (r *relay) speak() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = false
	r.change.Broadcast()
}
