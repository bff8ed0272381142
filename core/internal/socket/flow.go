// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "flow.h"
import "C"

// flow is how far a connection has come.
type flow struct {
	tcp                 bool // otherwise only queued is known
	read, acked, queued uint64
}

// Connection is one of a socket that connects, as long as its file descriptor is that.
type Connection struct {
	fd    int
	inode C.uint64_t
}

// ConnectionOn returns the connection that a monitor's CONNECTED event names.
func ConnectionOn(fd int) Connection {
	return Connection{fd: fd, inode: C.jb_inode(C.int(fd))}
}

// flow asks the kernel. Not ok: the connection is over.
func (c Connection) flow() (flow, bool) {
	var f C.struct_jb_flow
	rc := C.jb_flow(C.int(c.fd), c.inode, &f)
	return flow{tcp: rc > 0, read: uint64(f.read), acked: uint64(f.acked), queued: uint64(f.queued)}, rc >= 0
}

// Watch lets a poller tell of what comes, before libzmq has read it. The zero Connection
// has nothing to tell.
func (c Connection) Watch(p *Poller) {
	if c.inode != 0 {
		p.Watch(c.fd)
	}
}

// BytesReceived is how many bytes libzmq has read from it. Not ok: the connection is
// over, or none over TCP.
func (c Connection) BytesReceived() (uint64, bool) {
	flow, ok := c.flow()
	return flow.read, ok && flow.tcp
}

// busyBytes that wait to be sent keep a heartbeat, and so its answer, waiting.
const busyBytes = 64 << 10

// Moved changes as long as the connection is alive: bytes come, or those that a
// heartbeat waits behind go. Not ok: the connection is over, or none over TCP.
func (c Connection) Moved() (uint64, bool) {
	flow, ok := c.flow()
	if flow.queued < busyBytes {
		flow.acked = 0 // by the other side's kernel, which says nothing of the peer
	}
	return flow.read + flow.acked, ok && flow.tcp
}

// Queued is how many bytes the other side's kernel has not taken yet; 0 if the connection
// is over.
func (c Connection) Queued() uint64 {
	flow, ok := c.flow()
	if !ok {
		return 0
	}
	return flow.queued
}

// End makes libzmq take the connection for lost. It tells whether there was one.
func (c Connection) End() bool { return C.jb_end(C.int(c.fd), c.inode) != 0 }
