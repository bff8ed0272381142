// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"fmt"

	"github.com/juicebus/juicebus/core/internal/codec"
)

// Event is one event: what is published and what is received.
type Event struct {
	// Name says what kind of event it is; not empty.
	Name string
	// Topic is what subscribers of the name choose by; empty if there is none.
	Topic string
	// Frames are the payload frames: one, unless the event's class writes frames
	// of its own. A received event's frames are yours.
	Frames [][]byte
	// Unchecked publishes a single frame without looking at it, as several always are:
	// for classes whose one frame is neither CBOR nor JSON.
	Unchecked bool
}

// NewEvent makes an event with a CBOR payload from a struct, or a map with string
// keys. Fields are named by `cbor` tags, or by `json` tags where there is none.
func NewEvent(name, topic string, v any) (Event, error) {
	payload, err := codec.Encode(v)
	if err != nil {
		return Event{}, fmt.Errorf("juicebus: make event %q: %w", name, err)
	}
	return Event{Name: name, Topic: topic, Frames: [][]byte{payload}}, nil
}

// NewJSONEvent is NewEvent with a JSON payload, which services that have not moved
// to juicebus can read. Fields are named by `json` tags; NaN and infinity have no
// form there.
func NewJSONEvent(name, topic string, v any) (Event, error) {
	payload, err := codec.EncodeJSON(v)
	if err != nil {
		return Event{}, fmt.Errorf("juicebus: make event %q: %w", name, err)
	}
	return Event{Name: name, Topic: topic, Frames: [][]byte{payload}}, nil
}

// Decode reads the payload, CBOR or JSON, into what v points to. Fields that the
// struct does not have are passed over. In JSON, "NaN", "Infinity" and
// "-Infinity" are numbers where the struct has a float.
func (e Event) Decode(v any) error {
	if len(e.Frames) != 1 {
		return fmt.Errorf("juicebus: decode %s: %w: %d frames, expected 1", e.title(), ErrPayload, len(e.Frames))
	}
	if err := codec.Decode(e.Frames[0], v); err != nil {
		return fmt.Errorf("juicebus: decode %s: %w", e.title(), err)
	}
	return nil
}

// title is how errors name an event.
func (e Event) title() string {
	if e.Topic == "" {
		return fmt.Sprintf("%q", e.Name)
	}
	return fmt.Sprintf("%q, topic %q", e.Name, e.Topic)
}

func (e Event) size() int64 {
	size := int64(len(e.Name) + 1)
	if e.Topic != "" {
		size += int64(len(e.Topic) + 1)
	}
	for _, frame := range e.Frames {
		size += int64(len(frame))
	}
	return size
}

// CheckPayload tells why a payload may not be published: it is neither a CBOR
// map by the wire's rules nor a JSON object. The error matches [ErrPayload].
func CheckPayload(payload []byte) error {
	if err := codec.Check(payload); err != nil {
		return fmt.Errorf("juicebus: check payload: %w", err)
	}
	return nil
}
