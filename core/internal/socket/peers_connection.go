// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "peers.h"
import "C"

import (
	"net/netip"
	"syscall"
)

// peer is one connection. libzmq tells that it is over before it closes the file
// descriptor, so a number names one peer at a time; but what is read here may be of
// one that is over, and the number a stranger's. So all that is done to it goes by the
// inode.
type peer struct {
	fd          int
	inode       C.uint64_t
	cut         bool
	shaking     bool // its handshake may not be over
	filters     map[uint64]struct{}
	filterBytes int
	progress    progress
	message     message
}

// flow is how far a connection has come.
type flow struct {
	tcp                       bool // otherwise only queued is known
	read, sent, acked, queued uint64
}

// flow asks the kernel. Not ok: the connection is over.
func (p *peer) flow() (flow, bool) {
	var f C.struct_jb_flow
	rc := C.jb_flow(C.int(p.fd), p.inode, &f)
	return flow{
		tcp: rc > 0, read: uint64(f.read), sent: uint64(f.sent), acked: uint64(f.acked), queued: uint64(f.queued),
	}, rc >= 0
}

// Connection is one of a socket that connects, as long as its file descriptor is that.
type Connection struct {
	fd    int
	inode C.uint64_t
}

// ConnectionOn returns the connection that a monitor's CONNECTED event names.
func ConnectionOn(fd int) Connection {
	return Connection{fd: fd, inode: C.jb_inode(C.int(fd), C.int(fd))}
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
	flow, ok := (&peer{fd: c.fd, inode: c.inode}).flow()
	return flow.read, ok && flow.tcp
}

// busyBytes that wait to be sent keep a heartbeat, and so its answer, waiting.
const busyBytes = 64 << 10

// Moved changes as long as the connection is alive: bytes come, or those that a
// heartbeat waits behind go. Not ok: the connection is over, or none over TCP.
func (c Connection) Moved() (uint64, bool) {
	flow, ok := (&peer{fd: c.fd, inode: c.inode}).flow()
	if flow.queued < busyBytes {
		flow.acked = 0 // by the other side's kernel, which says nothing of the peer
	}
	return flow.read + flow.acked, ok && flow.tcp
}

// Queued is how many bytes the other side's kernel has not taken yet; 0 if the connection
// is over.
func (c Connection) Queued() uint64 {
	flow, ok := (&peer{fd: c.fd, inode: c.inode}).flow()
	if !ok {
		return 0
	}
	return flow.queued
}

// End makes libzmq take the connection for lost. It tells whether there was one.
func (c Connection) End() bool { return C.jb_end(C.int(c.fd), c.inode) != 0 }

// address is where a peer is, as far as that can be told.
func (p *peer) address() string {
	name, err := syscall.Getpeername(p.fd)
	if err != nil {
		return ""
	}
	switch name := name.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), uint16(name.Port)).String()
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr), uint16(name.Port)).String()
	}
	return ""
}

// cut ends a connection. libzmq closes it, and then tells of its end.
func (p *Peers) cut(peer *peer, reason string) {
	p.introduced(peer)
	if peer.cut {
		return
	}
	peer.cut = true
	peer.filters = nil
	address := peer.address()
	if C.jb_cut_off(C.int(peer.fd), peer.inode, p.grip, p.idle) == 0 {
		return // over already
	}
	p.cutOffs.add(reason, address, 1)
}

// CutOff is how many connections have been cut off.
func (p *Peers) CutOff() uint64 { return p.cutOffs.total() }

// CutOffs returns what has been cut off since the last call, a line for each reason.
func (p *Peers) CutOffs() []CutOff { return p.cutOffs.take() }
