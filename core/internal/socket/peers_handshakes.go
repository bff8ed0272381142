// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "peers.h"
import "C"

import (
	"syscall"
	"time"
)

// reservedFDs are left to this process when connections have taken all others.
// libzmq's thread spins while it cannot accept for want of one.
const reservedFDs = 16

// maxConnectionFD is the highest file descriptor that a connection may have.
func maxConnectionFD() (int, error) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return int(min(limit.Cur, 1<<30)) - reservedFDs, err
}

// handshakesWithin is how many connections of one side may shake hands: a quarter of the
// file descriptors that are left, on each of the proxy's two sides, so that they leave
// room for peers. fd is one that was opened last.
func handshakesWithin(limit, maxFD, fd int) int { return max(1, min(limit, (maxFD-fd)/4)) }

// handshakeBytes is what libzmq sends to a peer before it knows who that is: a
// greeting, and READY with the socket's type. More means that the handshake is over:
// a publisher is sent a subscription then, a subscriber a welcome.
const handshakeBytes = 64 + 28

func (p *Peers) accepted(fd int) {
	p.gone(fd)
	inode := C.jb_inode(C.int(fd), p.listening)
	if inode == 0 {
		return // over already
	}
	new := &peer{fd: fd, inode: inode, shaking: true}
	p.peers[fd] = new
	if p.nextLook.IsZero() { // the first one
		p.nextLook = time.Now().Add(lookInterval)
	}
	if flow, ok := new.flow(); ok && !flow.tcp {
		// Nothing tells when its handshake is over. Who may open the path is trusted
		// with that.
		new.shaking = false
		if fd > p.maxFD {
			p.cut(new, NoDescriptors)
		}
		return
	}
	p.handshakes = append(p.handshakes, new)
	p.shaking++
	p.cutOldestHandshake(p.limits.Handshakes, TooManyHandshakes)
	if fd > p.maxFD && !p.cutOldestHandshake(0, NoDescriptors) {
		p.cut(new, NoDescriptors) // its own is over already
	}
}

// cutOldestHandshake cuts one of those whose handshake is not over, if they are more
// than a limit. It returns whether it has.
func (p *Peers) cutOldestHandshake(limit int, reason string) bool {
	for p.shaking > limit {
		oldest := p.handshakes[0]
		p.handshakes = p.handshakes[1:]
		if flow, ok := oldest.flow(); oldest.shaking && ok && flow.sent <= handshakeBytes {
			p.cut(oldest, reason)
			return true
		}
		p.introduced(oldest)
	}
	return false
}

// introduced notes that a peer's handshake is over, or the peer.
func (p *Peers) introduced(peer *peer) {
	if peer.shaking {
		peer.shaking = false
		p.shaking--
	}
}

func (p *Peers) gone(fd int) {
	if peer := p.peers[fd]; peer != nil {
		p.introduced(peer)
		delete(p.peers, fd)
	}
}
