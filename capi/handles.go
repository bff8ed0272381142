// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

// #include "exports.h"
import "C"

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
	indexBits      = C.GOJB_INDEX_BITS
	kindShift      = C.GOJB_KIND_SHIFT
	generationBits = kindShift - indexBits
)

type kind uint64

const (
	publisherKind  kind = C.GOJB_PUBLISHER
	subscriberKind kind = C.GOJB_SUBSCRIBER
	proxyKind      kind = C.GOJB_PROXY
)

func (k kind) String() string {
	return [...]string{"none", "publisher", "subscriber", "proxy"}[min(k, proxyKind+1)%4]
}

// errHandle: never a handle, or one of another kind.
var errHandle = errors.New("no such handle")

type entry struct {
	object     any // a closed one stays until the slot is used again
	kind       kind
	generation uint32
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
	return uint64(k)<<kindShift | uint64(e.generation)<<indexBits | uint64(index), nil
}

// find returns the entry that a handle is, open or closed; under the lock.
func (t *table) find(handle uint64) (*entry, error) {
	index := handle & (1<<indexBits - 1)
	generation := uint32(handle >> indexBits)
	k := kind(handle >> kindShift)
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

func kindOf(handle uint64) kind { return kind(handle >> kindShift) }

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
	C.gojb_end_close(C.uint64_t(handle)) // before somebody else's end is there
	handles.free = append(handles.free, int(handle&(1<<indexBits-1)))
	return object, true, nil
}

// open gives a publisher or a subscriber a handle, by which callers in C also find its
// end.
func open[T interface{ End() uintptr }](k kind, object T) (C.uint64_t, error) {
	number, err := handles.add(k, object)
	if err == nil {
		C.gojb_end_open(C.uint64_t(number), C.uintptr_t(object.End()))
	}
	return C.uint64_t(number), err
}
