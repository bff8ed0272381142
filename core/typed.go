// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"context"
	"iter"
)

// Typed is an event with its payload decoded into a T.
type Typed[T any] struct {
	Name, Topic string
	Value       T
}

// Decode decodes an event's payload into a new T.
func Decode[T any](event Event) (Typed[T], error) {
	typed := Typed[T]{Name: event.Name, Topic: event.Topic}
	err := event.Decode(&typed.Value)
	return typed, err
}

// Values ranges over a subscriber's events, decoded into T: for a subscriber
// whose events are of one kind. An event that does not decode comes as an error
// that matches [ErrPayload], with its name and topic set, and the range goes on
// behind it.
func Values[T any](ctx context.Context, s *Subscriber) iter.Seq2[Typed[T], error] {
	return func(yield func(Typed[T], error) bool) {
		for event, err := range s.Events(ctx) {
			var typed Typed[T]
			if err == nil {
				typed, err = Decode[T](event)
			}
			if !yield(typed, err) {
				return
			}
		}
	}
}
