// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/juicebus/juicebus/core/internal/endpoint"
)

// listener listens for one side of a proxy, where a bound libzmq socket would.
type listener struct {
	net.Listener
	uri string // with the real port
	fd  int    // the listener's
}

func listenFor(uri string) (*listener, error) {
	l, err := newListener(uri)
	var errno syscall.Errno
	if errors.As(err, &errno) { // what it was to do and where is said already
		err = errno
	}
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", uri, err)
	}
	return l, nil
}

func newListener(uri string) (*listener, error) {
	var l listener
	var err error
	if path, isIPC := strings.CutPrefix(uri, "ipc://"); isIPC {
		if err := unlinkStale(path); err != nil {
			return nil, err
		}
		l.Listener, err = net.Listen("unix", path)
		l.uri = uri
	} else {
		l.Listener, err = listenTCP(uri)
		if err == nil {
			l.uri = "tcp://" + l.Addr().String()
		}
	}
	if err != nil {
		return nil, err
	}
	conn, err := l.Listener.(syscall.Conn).SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) { l.fd = int(fd) })
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &l, nil
}

func listenTCP(uri string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(uri, "tcp://"))
	if err != nil {
		return nil, err
	}
	network := "tcp4"
	if endpoint.IPv6(uri) {
		network = "tcp" // [::] is every interface's IPv4 address too
	}
	if host == "*" {
		host = "0.0.0.0"
	}
	if port == "*" {
		port = "0"
	}
	if address := addressOfInterface(host); address != "" {
		host = address
	}
	return net.Listen(network, net.JoinHostPort(host, port))
}

// addressOfInterface is the first IPv4 address of a network interface: libzmq listens at
// one by its name, too.
func addressOfInterface(name string) string {
	each, err := net.InterfaceByName(name)
	if err != nil {
		return ""
	}
	addresses, err := each.Addrs()
	if err != nil {
		return ""
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil {
			return network.IP.String()
		}
	}
	return ""
}

// unlinkStale removes a socket's path that nobody listens at any more.
func unlinkStale(path string) error {
	if err := checkUnused(path); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSocket {
		return nil // what is there is told by who listens
	}
	return os.Remove(path)
}

// checkUnused tells if somebody listens at a path. libzmq would take it from them.
func checkUnused(path string) error {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil
	}
	_ = c.Close()
	return syscall.EADDRINUSE
}
