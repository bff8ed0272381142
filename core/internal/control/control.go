// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package control makes and reads the messages of the control plane, version 1:
// what a proxy and its peers tell each other besides events. Their bytes are fixed
// in tests/vectors/control.json, as two releases in one fleet must agree.
//
// Every one is on a reserved key, which begins with the byte 0xFF. That byte does
// not occur in UTF-8, so no event has such a key; and a subscriber's filters, which
// are sent in byte order after a reconnect, have the reserved ones last. Numbers
// are big-endian.
package control

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net"
	"strings"
)

// Reserved is the first byte of every reserved key.
const Reserved = 0xff

// version is the control plane's. Another one is as good as none.
const version = 1

// The second byte of a reserved key says what it is for.
const (
	announceKind   = 'a'
	checkpointKind = 'c'
	flushKind      = 'f'
	readyKind      = 'r'
	welcomeKind    = 'w'
)

// Identity tells one run of a proxy from every other.
type Identity [16]byte

// NewIdentity makes one up.
func NewIdentity() (id Identity) {
	_, _ = rand.Read(id[:]) // never fails, says crypto/rand
	return id
}

// IsReserved tells whether a key is the control plane's.
func IsReserved(key []byte) bool { return len(key) > 0 && key[0] == Reserved }

func reserved(kind byte, rest ...[]byte) []byte {
	return append([]byte{Reserved, kind}, bytes.Join(rest, nil)...)
}

func cut(key []byte, kind byte) (rest []byte, ok bool) {
	if len(key) < 2 || key[0] != Reserved || key[1] != kind {
		return nil, false
	}
	return key[2:], true
}

// Mark is enough of an identity to notice that two proxies are not the same run, in
// nearly every case.
func (id Identity) Mark() byte { return id[0] }

// Announcement is what a proxy tells its publishers, as a subscription: that it
// speaks this version, where its subscriber side listens, and its mark. The address is
// a URI, or "tcp:" and a port of the host that the publisher has connected to.
//
// Not the whole identity: a publisher's socket keeps each different announcement for as
// long as it lives, a thousand bytes at a time, and proxies come and go.
type Announcement struct {
	Address string
	Mark    byte
}

// Bytes is the announcement as a key.
func (a Announcement) Bytes() []byte {
	return reserved(announceKind, []byte{version}, []byte(a.Address), []byte{a.Mark})
}

// ReadAnnouncement reads one; not ok: it is something else, or of another version.
func ReadAnnouncement(key []byte) (a Announcement, ok bool) {
	rest, ok := cut(key, announceKind)
	if !ok || len(rest) < 2 || rest[0] != version {
		return a, false
	}
	end := len(rest) - 1
	return Announcement{Address: string(rest[1:end]), Mark: rest[end]}, true
}

// SubscriberURI is where the proxy's subscriber side listens, for a publisher that
// is connected to host.
func (a Announcement) SubscriberURI(host string) string {
	port, relative := strings.CutPrefix(a.Address, "tcp:")
	if relative && !strings.HasPrefix(port, "/") {
		return "tcp://" + net.JoinHostPort(host, port)
	}
	return a.Address
}

// WelcomeKey is what a subscriber subscribes to before it connects, to learn who
// the proxy is.
func WelcomeKey() []byte { return reserved(welcomeKind) }

// Welcome is what a proxy sends to a subscriber that connects: one frame.
func Welcome(id Identity) []byte { return reserved(welcomeKind, []byte{version}, id[:]) }

// ReadWelcome reads one; not ok: it is something else, or of another version.
func ReadWelcome(frame []byte) (id Identity, ok bool) {
	rest, ok := cut(frame, welcomeKind)
	if !ok || len(rest) != 1+len(id) || rest[0] != version {
		return id, false
	}
	copy(id[:], rest[1:])
	return id, true
}

// ReadyKey is what a subscriber subscribes to, with a fresh number each time, to
// learn that what it subscribed to before is live. The answer is this key and the
// proxy's identity.
func ReadyKey(number [16]byte) []byte { return reserved(readyKind, number[:]) }

// IsReadyKey tells whether a key is a ReadyKey.
func IsReadyKey(key []byte) bool {
	rest, ok := cut(key, readyKind)
	return ok && len(rest) == 16
}

// FlushKey is a publisher's own key, on which it asks the proxy what has arrived,
// and on which the proxy answers.
func FlushKey(publisher [16]byte) []byte { return reserved(flushKind, publisher[:]) }

// IsFlushKey tells whether a key is a FlushKey.
func IsFlushKey(key []byte) bool {
	rest, ok := cut(key, flushKind)
	return ok && len(rest) == 16
}

// FlushNumber is the payload of a question on a FlushKey, and of its answer.
func FlushNumber(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// ReadFlushNumber reads one.
func ReadFlushNumber(payload []byte) (number uint64, ok bool) {
	if len(payload) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(payload), true
}

// CheckpointKey is what a subscriber subscribes to beside a filter, to be told how
// many events have been forwarded under it. The last byte keeps a wide filter from
// receiving every narrower one's.
func CheckpointKey(filter []byte) []byte {
	return reserved(checkpointKind, filter, []byte{Reserved})
}

// ReadCheckpointKey returns the filter of a CheckpointKey: one that ends with a dot, as
// all do.
func ReadCheckpointKey(key []byte) (filter []byte, ok bool) {
	rest, ok := cut(key, checkpointKind)
	if !ok || !bytes.HasSuffix(rest, []byte{'.', Reserved}) {
		return nil, false
	}
	return rest[:len(rest)-1], true
}

// Checkpoint is how many events a proxy has forwarded under a filter. Era changes
// when the proxy has counted from zero again, as it forgets filters that nobody has
// subscribed to for a while.
type Checkpoint struct {
	Identity Identity
	Era      uint64
	Count    uint64
}

// Bytes is the payload of the checkpoint.
func (c Checkpoint) Bytes() []byte {
	b := append(make([]byte, 0, 32), c.Identity[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Era)
	return binary.BigEndian.AppendUint64(b, c.Count)
}

// ReadCheckpoint reads one.
func ReadCheckpoint(payload []byte) (c Checkpoint, ok bool) {
	if len(payload) != len(c.Identity)+16 {
		return c, false
	}
	rest := payload[copy(c.Identity[:], payload):]
	c.Era, c.Count = binary.BigEndian.Uint64(rest), binary.BigEndian.Uint64(rest[8:])
	return c, true
}
