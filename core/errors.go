// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"errors"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/key"
)

// What an error of this package is, for [errors.Is].
var (
	// ErrInvalid: an argument, such as a name, a topic, a key or an option.
	ErrInvalid = key.ErrInvalid
	// ErrURI: a URI is malformed or of an unknown scheme.
	ErrURI = endpoint.ErrURI
	// ErrPayload: a payload is neither a well-formed CBOR map by the wire's rules
	// nor a JSON object, or does not fit the value it is decoded into.
	ErrPayload = codec.ErrPayload
	// ErrTooLarge: an event exceeds [MaxEventBytes].
	ErrTooLarge = errors.New("too large")
	// ErrNotConnected: there is no proxy, and no queue or no time to wait for one.
	ErrNotConnected = errors.New("not connected")
	// ErrQueueFull: the queue towards the network stayed full.
	ErrQueueFull = errors.New("queue full")
	// ErrClosed: the handle is closed.
	ErrClosed = errors.New("closed")
	// ErrUnanswered: the proxy has not answered yet.
	ErrUnanswered = errors.New("no answer yet")
	// ErrUnconfirmed: the proxy cannot confirm what was asked.
	ErrUnconfirmed = errors.New("the proxy cannot confirm it")
	// ErrPanic: a defect in this package. It refuses all calls from then on.
	ErrPanic = errors.New("panic")
)

// errAgain marks a failure for a reason that passes.
var errAgain = errors.New("try again")

// again marks an error; its text stays.
func again(err error) error { return passing{err} }

type passing struct{ error }

func (p passing) Unwrap() error      { return p.error }
func (passing) Is(target error) bool { return target == errAgain }

// Again tells whether a try failed for a reason that passes: it is worth trying
// again when the fd is readable, or a moment later.
func Again(err error) bool { return errors.Is(err, errAgain) }

// AmbiguousError says that a name cannot be subscribed to beside another one,
// because one is a dotted prefix of the other ("A" and "A.B").
type AmbiguousError = key.AmbiguousError
