// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package endpoint checks URIs before a socket sees them, so that a typing
// error is told at open and in words. A host that does not resolve yet is no
// error: services start before their proxy's container does.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// ErrURI is wrapped by every error that Check returns.
var ErrURI = errors.New("bad URI")

// maxPath is what fits into sockaddr_un.sun_path beside its NUL (unix(7)).
const maxPath = 107

// Check says what is wrong with a URI. To bind, the host may be * and the port
// 0 or *.
func Check(uri string, bind bool) error {
	if strings.IndexByte(uri, 0) >= 0 {
		return fmt.Errorf("%w %q: it holds NUL", ErrURI, uri)
	}
	scheme, address, found := strings.Cut(uri, "://")
	switch {
	case !found:
		return fmt.Errorf("%w %q: it has no scheme, expected tcp://host:port or ipc://path", ErrURI, uri)
	case scheme == "tcp":
		return checkTCP(uri, address, bind)
	case scheme == "ipc":
		return checkIPC(uri, address)
	}
	return fmt.Errorf("%w %q: unknown scheme %q, expected tcp or ipc", ErrURI, uri, scheme)
}

func checkIPC(uri, path string) error {
	switch {
	case path == "" || path == "*":
		return fmt.Errorf("%w %q: it has no path", ErrURI, uri)
	case len(path) > maxPath:
		return fmt.Errorf("%w %q: the path has %d bytes, at most %d are possible", ErrURI, uri, len(path), maxPath)
	}
	return nil
}

func checkTCP(uri, address string, bind bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%w %q: expected tcp://host:port", ErrURI, uri)
	}
	if host == "" || (host == "*" && !bind) {
		return fmt.Errorf("%w %q: it names no host to connect to", ErrURI, uri)
	}
	if host != "*" && !isHost(host) {
		return fmt.Errorf("%w %q: %q is no host name and no address", ErrURI, uri, host)
	}
	if port == "*" && bind {
		return nil
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || (number == 0 && !bind) {
		return fmt.Errorf("%w %q: the port must be a number from 1 to 65535 (to listen also 0: any free one)", ErrURI, uri)
	}
	return nil
}

// isHost accepts addresses, and what RFC 1123 calls a host name; container
// names with underscores too, as they are common.
func isHost(host string) bool {
	address, _, _ := strings.Cut(host, "%")
	if net.ParseIP(address) != nil {
		return true
	}
	for _, c := range host {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", c) {
			return false
		}
	}
	return len(host) <= 253 && host[0] != '-'
}

// IPv6 tells whether the socket must speak IPv6 for this URI.
func IPv6(uri string) bool { return strings.HasPrefix(uri, "tcp://[") }

// Host returns the host of a tcp URI that passed Check, or "".
func Host(uri string) string {
	address, isTCP := strings.CutPrefix(uri, "tcp://")
	host, _, err := net.SplitHostPort(address)
	if !isTCP || err != nil {
		return ""
	}
	return host
}
