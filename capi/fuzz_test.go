// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/juicebus/juicebus/core"
)

// thing is an object behind a handle.
type thing struct{ _ int }

// known is what a handle is by the rules: its object, open or not.
type known struct {
	object *thing
	kind   kind
	closed bool
}

// FuzzHandles opens, closes and asks in any order, with handles that are, that
// were, and numbers that never were one; a map says what each must answer.
func FuzzHandles(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 3, 0, 4, 0})
	f.Add([]byte{0, 0, 2, 0, 4, 0, 0, 0, 2, 0, 3, 0, 2, 1})
	f.Add([]byte{5, 0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var numbers []uint64
		all := map[uint64]*known{}
		defer func() {
			for number, k := range all {
				_, _, _ = closeHandle[*thing](number, k.kind)
			}
		}()
		for len(steps) >= 2 {
			step, which := steps[0], int(steps[1])
			steps = steps[2:]
			var number uint64
			switch {
			case step%4 == 3 && len(steps) >= 8: // any number at all
				number, steps = binary.LittleEndian.Uint64(steps), steps[8:]
			case len(numbers) > 0:
				number = numbers[which%len(numbers)]
			}
			k := all[number]
			switch step % 4 {
			case 0:
				one := &known{object: &thing{}, kind: kind(which%3) + publisherKind}
				added, err := handles.add(one.kind, one.object)
				if err != nil || added == 0 || all[added] != nil {
					t.Fatalf("a new handle is %d, %v", added, err)
				}
				all[added] = one
				numbers = append(numbers, added)
			case 1, 3:
				ask(t, number, kind(which/4%3)+publisherKind, k)
			case 2:
				closeOne(t, number, k)
			}
		}
	})
}

func ask(t *testing.T, number uint64, as kind, k *known) {
	object, err := get[*thing](number, as)
	switch {
	case k == nil || k.kind != as:
		// A number that nobody was given may be a handle that was closed long ago.
		if !errors.Is(err, errHandle) && (k != nil || !errors.Is(err, core.ErrClosed)) {
			t.Fatalf("%d as a %s: %v", number, as, err)
		}
	case k.closed:
		if !errors.Is(err, core.ErrClosed) {
			t.Fatalf("%d is closed: %v", number, err)
		}
	case err != nil || object != k.object:
		t.Fatalf("%d is open: %v", number, err)
	}
}

func closeOne(t *testing.T, number uint64, k *known) {
	as := publisherKind
	if k != nil {
		as = k.kind
	}
	object, first, err := closeHandle[*thing](number, as)
	switch {
	case k == nil:
		if first || err != nil && !errors.Is(err, errHandle) {
			t.Fatalf("close %d, which is none: %v", number, err)
		}
	case err != nil || first == k.closed || first && object != k.object:
		t.Fatalf("close %d: first %v, %v", number, first, err)
	default:
		k.closed = true
	}
}
