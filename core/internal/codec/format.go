// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package codec turns values into payloads and back, and decides for every
// language what a well-formed payload is. CBOR is what juicebus writes, JSON what
// today's fleet writes; the first byte tells them apart.
//
// A payload comes from an event and goes to the socket, and the other way round;
// check.go is asked on both ways.
package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Format is how a payload is encoded.
type Format int

// The numbers are JUICEBUS_FORMAT_… of juicebus.h.
const (
	Other Format = iota
	CBOR
	JSON
)

// ErrPayload is wrapped by every error about a payload.
var ErrPayload = errors.New("bad payload")

// FormatOf tells how a received payload is encoded. CBOR is said only of what
// CheckCBOR accepts. JSON is said of whatever begins like an object: whoever
// decodes it has to parse it anyway.
func FormatOf(payload []byte) Format {
	switch {
	case beginsCBOR(payload):
		if CheckCBOR(payload) == nil {
			return CBOR
		}
	case len(payload) > 0 && payload[0] == '{':
		return JSON
	}
	return Other
}

// Check tells why a payload may not be published: it is neither a CBOR map by
// the wire's rules nor a JSON object.
func Check(payload []byte) error {
	switch {
	case len(payload) == 0:
		return fmt.Errorf("%w: it is empty, expected a CBOR map or a JSON object", ErrPayload)
	case beginsCBOR(payload):
		return CheckCBOR(payload)
	case payload[0] == '{':
		return checkJSON(payload)
	}
	return fmt.Errorf("%w: it begins with 0x%02x, expected a CBOR map or a JSON object", ErrPayload, payload[0])
}

func beginsCBOR(payload []byte) bool {
	return len(payload) > 0 && (payload[0]>>5 == majorMap ||
		len(payload) > 2 && payload[0] == 0xd9 && payload[1] == 0xd9 && payload[2] == 0xf7)
}

func checkJSON(payload []byte) error {
	if !utf8.Valid(payload) {
		return fmt.Errorf("%w: JSON that is not UTF-8", ErrPayload)
	}
	if json.Valid(payload) {
		return nil
	}
	var value json.RawMessage
	err := json.Unmarshal(payload, &value)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w: JSON at byte %d: %w", ErrPayload, syntax.Offset, err)
	}
	return fmt.Errorf("%w: JSON: %w", ErrPayload, err)
}
