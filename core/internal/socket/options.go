// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"
	"unsafe"

	zmq "github.com/pebbe/zmq4"

	"github.com/juicebus/juicebus/core/internal/endpoint"
)

// Every socket retries its connection after 0.1 to 0.3 s: libzmq adds up to as much
// again to an interval that is itself another one for each socket. A longer wait would
// outlast a new proxy's hold.
const (
	reconnectMin = 100 * time.Millisecond
	reconnectMax = 150 * time.Millisecond
)

// handshakeLimit is how long a peer may take to say who it is.
const handshakeLimit = 5 * time.Second

// HeartbeatsToDeath is how many silent heartbeats make a connection dead.
const HeartbeatsToDeath = 3

// base is what the two client sockets have in common. All but waiting on its Ready is
// done under its Lock, which is taken under the lock of the core object that owns it.
type base struct {
	end
	uri     string
	zmq     *zmq.Socket
	pointer unsafe.Pointer
	fd      int
	Ready   *Ready
	Monitor *Monitor
}

// open makes a socket with a monitor and a ready fd, not yet connected or bound, on a
// new end of its kind. At each heartbeat it asks whether the peer is still there; 0:
// never.
func open(kind zmq.Type, uri string, heartbeat time.Duration, newEnd endMaker, set func(*zmq.Socket) error) (base, error) {
	s, err := create(kind, uri, func(s *zmq.Socket) error {
		return errors.Join(setHeartbeat(s, uri, heartbeat), set(s))
	})
	if err != nil {
		return base{}, err
	}
	fd, err := s.GetFd()
	if err != nil {
		return base{}, closing(s, err)
	}
	b := base{uri: uri, zmq: s, pointer: pointer(s), fd: fd}
	if b.end, err = makeEnd(newEnd, b.pointer, fd); err != nil {
		return base{}, closing(s, err)
	}
	b.Ready = readyOf(b.end.c)
	if b.Monitor, err = newMonitor(s, monitored()); err != nil {
		b.Finish()
		b.end.release()
		return base{}, closing(s, err)
	}
	return b, nil
}

// setHeartbeat makes a client's socket ask for a sign of life. Over TCP its owner looks
// for that in the connection's bytes: libzmq takes only a whole message for one, and
// would end a connection on which a large one takes its time. The socket must read
// without a bound: libzmq ends the process by an assertion when a heartbeat falls due
// on a connection that has broken while its bound kept it from reading.
func setHeartbeat(s *zmq.Socket, uri string, heartbeat time.Duration) error {
	err := s.SetRcvhwm(0)
	if heartbeat == 0 {
		return err
	}
	timeout := time.Duration(0)
	if endpoint.Host(uri) == "" {
		// It runs from the first one without an answer, which is one interval late.
		timeout = (HeartbeatsToDeath - 1) * heartbeat
	}
	return errors.Join(err, s.SetHeartbeatIvl(heartbeat), s.SetHeartbeatTimeout(timeout))
}

// keepaliveAfter is the silence, in seconds, after which the kernel asks whether a peer
// is still there.
const keepaliveAfter = 10

// setKeepalive is what a socket that listens has instead of heartbeats; side.c has why.
func setKeepalive(s *zmq.Socket) error {
	return errors.Join(s.SetTcpKeepalive(1), s.SetTcpKeepaliveIdle(keepaliveAfter),
		s.SetTcpKeepaliveIntvl(1), s.SetTcpKeepaliveCnt(HeartbeatsToDeath))
}

// Reattach connects anew. libzmq gives a connection up for good when the peer breaks
// the protocol: it sends a frame over the limit, or is a socket of another kind.
func (b *base) Reattach() error {
	_ = b.zmq.Disconnect(b.uri) // an error says that there is nothing to disconnect
	return b.zmq.Connect(b.uri)
}

// Finish wakes whoever waits, for good; the socket itself stays open.
func (b *base) Finish() { b.Ready.Finish(b.fd) }

// discard closes a socket whose last words nobody waits for. The monitor stops
// first: libzmq's own threads block on an event that has no reader any more, and
// with them every socket. The end is let go of by the Unlock that follows.
func (b *base) discard() {
	_ = b.zmq.Monitor("", 0)
	b.Monitor.Close()
	b.Ready.Finish(b.fd)
	_ = b.zmq.Close()
	b.over = true
}

// abandon is discard for a socket that nobody else has seen.
func (b *base) abandon(err error) error {
	b.Lock()
	b.discard()
	b.Unlock(false)
	return err
}

// create makes a socket of the process's context with its options set.
func create(kind zmq.Type, uri string, set func(*zmq.Socket) error) (*zmq.Socket, error) {
	context, err := process()
	if err != nil {
		return nil, err
	}
	s, err := context.NewSocket(kind)
	if err != nil {
		return nil, err
	}
	reconnect := reconnectMin + rand.N(reconnectMax-reconnectMin)
	for _, err := range []error{
		s.SetLinger(0),
		s.SetReconnectIvl(reconnect),
		s.SetHandshakeIvl(handshakeLimit),
		s.SetIpv6(endpoint.IPv6(uri)),
		set(s),
	} {
		if err != nil {
			return nil, closing(s, err)
		}
	}
	return s, nil
}

func closing(s *zmq.Socket, err error) error {
	_ = s.Close()
	return err
}

// listen binds, and says which address is taken if one is.
func listen(s *zmq.Socket, uri string) error {
	if path, isIPC := strings.CutPrefix(uri, "ipc://"); isIPC {
		if err := checkUnused(path); err != nil {
			return fmt.Errorf("listen at %s: %w", uri, err)
		}
	}
	// To bind, libzmq lists the interfaces, and aborts the process if it has no
	// file descriptor left for that.
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("listen at %s: %w", uri, err)
	}
	_ = syscall.Close(fd)
	if err := s.Bind(uri); err != nil {
		return fmt.Errorf("listen at %s: %w", uri, err)
	}
	return nil
}
