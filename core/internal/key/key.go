// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package key makes and reads the first frame of an event: `<name>.` without a
// topic, `<name>.<topic>.` with one. The final dot turns ZeroMQ's match by byte
// prefix into a match by dotted segment.
//
// A key comes from an event's name and topic and goes to the socket, as a
// subscription or in front of the payload; next: package socket.
package key

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxBytes bounds name and topic together: libzmq walks a subscription
// recursively, once per byte.
const MaxBytes = 1024

// ErrInvalid is wrapped by every error about a name, a topic or a key.
var ErrInvalid = errors.New("invalid")

// Append appends the key of a name and a topic that have been checked.
func Append(b []byte, name, topic string) []byte {
	b = append(b, name...)
	b = append(b, '.')
	if topic != "" {
		b = append(b, topic...)
		b = append(b, '.')
	}
	return b
}

// CheckName tells whether a name and a topic make a key.
func CheckName(name, topic string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: the name is empty", ErrInvalid)
	case len(name)+len(topic) > MaxBytes:
		return fmt.Errorf("%w: name and topic have %d bytes, at most %d are allowed",
			ErrInvalid, len(name)+len(topic), MaxBytes)
	case !utf8.ValidString(name) || !utf8.ValidString(topic):
		return fmt.Errorf("%w: name and topic must be UTF-8", ErrInvalid)
	case strings.IndexByte(name, 0) >= 0 || strings.IndexByte(topic, 0) >= 0:
		return fmt.Errorf("%w: name and topic must not hold NUL", ErrInvalid)
	}
	return nil
}

// Check tells whether a frame is a key. It says nothing about where its name
// ends: only a subscription knows that.
func Check(key []byte) error {
	switch {
	case len(key) < 2 || key[len(key)-1] != '.':
		return fmt.Errorf("%w: a key is a name and a final dot", ErrInvalid)
	case len(key) > MaxBytes+2:
		return fmt.Errorf("%w: the key has %d bytes, at most %d are allowed", ErrInvalid, len(key), MaxBytes+2)
	case bytes.IndexByte(key, 0) >= 0:
		return fmt.Errorf("%w: a key must not hold NUL", ErrInvalid)
	case !utf8.Valid(key):
		return fmt.Errorf("%w: a key must be UTF-8", ErrInvalid)
	}
	return nil
}
