// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/juicebus/juicebus/core"
)

// A handle is a number: kind, generation and index of an entry of this table. A
// slot that is used again has a new generation, so a stale handle is known for
// one. Not cgo.Handle, which panics on a number it does not know.
const (
	indexBits      = 24
	generationBits = 32
)

type kind uint64

const (
	publisherKind kind = iota + 1
	subscriberKind
	proxyKind
)

func (k kind) String() string {
	return [...]string{"none", "publisher", "subscriber", "proxy"}[min(k, proxyKind+1)%4]
}

// errHandle: never a handle, or one of another kind.
var errHandle = errors.New("no such handle")

// waitable is a handle that callers outside Go wait on.
type waitable interface {
	EnterWait() (fd int, ok bool)
	LeaveWait()
}

type entry struct {
	object     any // a closed one stays until the slot is used again
	kind       kind
	generation uint32
	waiters    int
	closed     bool
}

type table struct {
	mu      sync.RWMutex
	entries []entry
	free    []int
}

var handles table

// add gives an object a handle.
func (t *table) add(k kind, object any) (uint64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var index int
	if n := len(t.free); n > 0 {
		index, t.free = t.free[n-1], t.free[:n-1]
	} else if index = len(t.entries); index < 1<<indexBits {
		t.entries = append(t.entries, entry{})
	} else {
		return 0, fmt.Errorf("juicebus: open %s: %d handles are open already", k, index)
	}
	e := &t.entries[index]
	*e = entry{object: object, kind: k, generation: e.generation + 1}
	return uint64(k)<<(indexBits+generationBits) | uint64(e.generation)<<indexBits | uint64(index), nil
}

// find returns the entry that a handle is, open or closed; under the lock.
func (t *table) find(handle uint64) (*entry, error) {
	index := handle & (1<<indexBits - 1)
	generation := uint32(handle >> indexBits)
	k := kind(handle >> (indexBits + generationBits))
	if k < publisherKind || k > proxyKind || generation == 0 || index >= uint64(len(t.entries)) {
		return nil, fmt.Errorf("juicebus: %w: %d", errHandle, handle)
	}
	e := &t.entries[index]
	switch {
	case generation > e.generation || generation == e.generation && k != e.kind:
		return nil, fmt.Errorf("juicebus: %w: %d", errHandle, handle)
	case generation < e.generation:
		return nil, closedError(k)
	}
	return e, nil
}

func closedError(k kind) error {
	return fmt.Errorf("juicebus: the %s is closed: %w", k, core.ErrClosed)
}

func kindOf(handle uint64) kind { return kind(handle >> (indexBits + generationBits)) }

// get returns the object of an open handle of one kind.
func get[T any](handle uint64, k kind) (object T, err error) {
	if err := core.Poisoned(); err != nil {
		return object, err
	}
	handles.mu.RLock()
	defer handles.mu.RUnlock()
	e, err := handles.find(handle)
	switch {
	case kindOf(handle) != k && !errors.Is(err, errHandle):
		return object, fmt.Errorf("juicebus: %w: %d is a %s, expected a %s", errHandle, handle, kindOf(handle), k)
	case err != nil:
		return object, err
	case e.closed:
		return object, closedError(k)
	}
	return e.object.(T), nil
}

// enter counts the caller among those who wait on a handle, and returns the fd.
// The object's own lock is not taken under the table's: whoever holds that one
// may be sending 64 MiB.
func (t *table) enter(handle uint64) (fd int, err error) {
	object, err := t.pin(handle)
	if err != nil {
		return 0, err
	}
	fd, ok := object.EnterWait()
	if !ok {
		t.unpin(handle)
		return 0, closedError(kindOf(handle))
	}
	return fd, nil
}

func (t *table) pin(handle uint64) (waitable, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, err := t.find(handle)
	if err != nil {
		return nil, err
	}
	if e.closed {
		return nil, closedError(e.kind)
	}
	e.waiters++
	return e.object.(waitable), nil
}

// leave ends what enter began. While somebody waits, a closed handle keeps its
// slot and its object.
func (t *table) leave(handle uint64) {
	t.mu.RLock()
	e, err := t.find(handle)
	if err != nil || e.waiters == 0 {
		t.mu.RUnlock()
		return
	}
	object := e.object.(waitable)
	t.mu.RUnlock()
	object.LeaveWait()
	t.unpin(handle)
}

func (t *table) unpin(handle uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, err := t.find(handle); err == nil {
		e.waiters--
		t.release(e, handle)
	}
}

// closeHandle marks a handle closed and returns its object, as long as its slot is not
// used again, and whether this caller was the first.
func closeHandle[T any](handle uint64, k kind) (object T, first bool, err error) {
	if _, err = get[T](handle, k); err != nil && !errors.Is(err, core.ErrClosed) {
		return object, false, err
	}
	handles.mu.Lock()
	defer handles.mu.Unlock()
	e, err := handles.find(handle)
	if err != nil { // the slot has been used again
		return object, false, nil
	}
	object = e.object.(T)
	if e.closed {
		return object, false, nil
	}
	e.closed = true
	handles.release(e, handle)
	return object, true, nil
}

func (t *table) release(e *entry, handle uint64) {
	if e.closed && e.waiters == 0 {
		t.free = append(t.free, int(handle&(1<<indexBits-1)))
	}
}
