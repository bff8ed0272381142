// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include <zmq.h>
// #include "monitor.h"
// #include "peers.h"
import "C"

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"
)

// PeerLimits bound what subscribers may take.
type PeerLimits struct {
	Subscriptions int // of one subscriber; in bytes, filterBytes times as many
	Handshakes    int // connections that have not yet said who they are
}

// Peers is what the proxy knows of the connections of its subscribers,
// and how it ends those that would take its memory or file descriptors. libzmq's
// monitor tells of them by their file descriptors, and the kernel of what they do.
// Next: peers_handshakes.go for connections that say nothing, peers_filters.go,
// peers_unfinished.go for messages without an end, peers_frozen.go for subscribers that
// do not read.
//
// Safe for concurrent use. A goroutine of its own, which waits in Go's netpoller, reads
// the monitor; it is the only user of its socket.
type Peers struct {
	limits PeerLimits
	idles  func() bool // see newPeers
	maxFD  int         // the highest file descriptor that a connection may have
	pair   *zmq.Socket
	file   *os.File // a duplicate of the pair's ZMQ_FD
	ended  chan struct{}

	mu         sync.Mutex // guards all below
	grip, idle C.int      // for jb_cut_off
	listening  C.int
	peers      map[int]*peer
	handshakes []*peer // oldest first; some may be over by now
	shaking    int     // those of them whose handshake may not be
	nextLook   time.Time
	stopped    bool
	cutOffs    cutOffs
	seed       maphash.Seed
	frozen     frozenWatch
	unfinished unfinishedWatch
}

// newPeers watches a socket that does not listen yet. idles tells, in any goroutine,
// whether the proxy waits for something to take, and nothing whole has come that it has
// not taken. A panic goes to onPanic. The caller closes the socket, then calls Await.
func newPeers(s *zmq.Socket, limits PeerLimits, idles func() bool, onPanic func(any)) (*Peers, error) {
	monitor, err := newMonitor(s, zmq.EVENT_LISTENING|zmq.EVENT_ACCEPTED|zmq.EVENT_DISCONNECTED|
		zmq.EVENT_MONITOR_STOPPED)
	if err != nil {
		return nil, err
	}
	p := &Peers{
		limits: limits, idles: idles, pair: monitor.pair, ended: make(chan struct{}),
		grip: -1, listening: -1, peers: make(map[int]*peer), seed: maphash.MakeSeed(),
	}
	if err := p.open(); err != nil {
		_ = s.Monitor("", 0)
		p.close()
		return nil, fmt.Errorf("watch connections: %w", err)
	}
	go p.run(onPanic)
	return p, nil
}

func (p *Peers) open() error {
	fd, err := p.pair.GetFd()
	if err != nil {
		return err
	}
	grip, err := duplicateFD(fd)
	if err != nil {
		return err
	}
	p.grip = C.int(grip)
	polled, err := duplicateFD(fd)
	if err != nil {
		return err
	}
	p.idle = C.int(polled)
	if err := syscall.SetNonblock(polled, true); err != nil { // or os.NewFile does not poll it
		_ = syscall.Close(polled)
		return err
	}
	p.file = os.NewFile(uintptr(polled), "juicebus monitor")
	if p.maxFD, err = maxConnectionFD(); err != nil {
		return err
	}
	p.limits.Handshakes = handshakesWithin(p.limits.Handshakes, p.maxFD, polled)
	return nil
}

func duplicateFD(fd int) (int, error) {
	duplicate, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, os.NewSyscallError("fcntl", errno)
	}
	return int(duplicate), nil
}

// run reads the monitor whenever it has something, and looks at the connections when
// it is time to.
func (p *Peers) run(onPanic func(any)) {
	defer func() {
		if value := recover(); value != nil {
			onPanic(value)
		}
	}()
	conn, err := p.file.SyscallConn()
	for err == nil && !p.look(time.Now()) {
		if err = p.setDeadline(); err != nil {
			break
		}
		// In the netpoller the fd is edge-triggered, so the callback reads.
		err = conn.Read(func(uintptr) bool { return p.read() })
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
	}
	if err != nil {
		panic(err) // an fd that can be polled does not fail
	}
	p.close()
	close(p.ended)
}

func (p *Peers) setDeadline() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.file.SetReadDeadline(p.nextLook)
}

// read takes in what the monitor has to tell. It returns whether that changes how long
// run may wait.
func (p *Peers) read() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.nextLook
	var events [64]C.struct_jb_monitor_event
	for !p.stopped {
		count := C.jb_read_monitor(pointer(p.pair), &events[0], C.int(len(events)))
		runtime.KeepAlive(p.pair)
		if count <= 0 {
			break
		}
		for _, e := range events[:count] {
			switch e.kind {
			case C.ZMQ_EVENT_LISTENING:
				p.listening = C.int(e.value)
			case C.ZMQ_EVENT_ACCEPTED:
				p.accepted(int(e.value))
			case C.ZMQ_EVENT_DISCONNECTED:
				p.gone(int(e.value))
			case C.ZMQ_EVENT_MONITOR_STOPPED:
				p.stopped = true
			}
		}
	}
	return p.stopped || p.nextLook != before
}

// look looks at the connections when it is time to. It returns whether the socket has
// stopped.
func (p *Peers) look(now time.Time) (stopped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nextLook.IsZero() || now.Before(p.nextLook) {
		return p.stopped
	}
	frozen := now.Before(p.frozen.until)
	for _, peer := range p.peers {
		flow, ok := peer.flow()
		if !ok {
			continue
		}
		if flow.sent > handshakeBytes {
			p.introduced(peer)
		}
		peer.message.read = max(peer.message.read, flow.read)
		if frozen {
			p.lookWhetherFrozen(peer, flow, now)
		}
	}
	p.handshakes = slices.DeleteFunc(p.handshakes, func(peer *peer) bool { return !peer.shaking })
	interval := p.lookForUnfinished(now)
	if frozen {
		p.cutSlowest(now)
		interval = min(interval, frozenLookInterval)
	}
	p.nextLook = now.Add(interval)
	if len(p.peers) == 0 {
		p.nextLook = time.Time{}
	}
	return p.stopped
}

// Await waits until the closed socket has gone, for at most a timeout. If it has not,
// this goes on in the background: libzmq's threads block on a monitor without a reader.
func (p *Peers) Await(timeout time.Duration) {
	select {
	case <-p.ended:
	case <-time.After(timeout):
	}
}

func (p *Peers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil {
		_ = p.file.Close()
	}
	if p.grip >= 0 {
		_ = syscall.Close(int(p.grip))
	}
	_ = p.pair.Close()
}
