// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package vectors reads the vectors of this folder; README.md has their format.
// The Go tests of each room run them through their own code paths.
package vectors

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed *.json
var files embed.FS

// Hex is text in hex notation.
type Hex string

// Bytes is what the text stands for.
func (h Hex) Bytes(t testing.TB) []byte {
	var all []byte
	for piece := range strings.FieldsSeq(string(h)) {
		digits, count, repeated := strings.Cut(piece, "*")
		one, err := hex.DecodeString(digits)
		require.NoError(t, err, "hex %q", piece)
		times := 1
		if repeated {
			times, err = strconv.Atoi(count)
			require.NoError(t, err, "hex %q", piece)
		}
		for range times {
			all = append(all, one...)
		}
	}
	return all
}

// Key is a vector of keys.json.
type Key struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Topic    *string `json:"topic"`
	NameHex  Hex     `json:"name_hex"`
	TopicHex Hex     `json:"topic_hex"`
	KeyHex   Hex     `json:"key_hex"`
	Status   string  `json:"status"`
}

// NameAndTopic are the two strings, whichever way they are written.
func (k Key) NameAndTopic(t testing.TB) (name, topic string) {
	name, topic = k.Name, string(k.TopicHex.Bytes(t))
	if k.NameHex != "" {
		name = string(k.NameHex.Bytes(t))
	}
	if k.Topic != nil {
		topic = *k.Topic
	}
	return name, topic
}

// Control is a vector of control.json.
type Control struct {
	ID          string `json:"id"`
	From        string `json:"from"`
	To          string `json:"to"`
	As          string `json:"as"`
	FramesHex   []Hex  `json:"frames_hex"`
	IdentityHex Hex    `json:"identity_hex"`
	NumberHex   Hex    `json:"number_hex"`
	Address     string `json:"address"`
	Filter      string `json:"filter"`
	Era         uint64 `json:"era"`
	Count       uint64 `json:"count"`
}

// NameTopic is an event, or a subscription, of filters.json.
type NameTopic struct {
	Name  string `json:"name"`
	Topic string `json:"topic"`
}

// Filter is a vector of filters.json.
type Filter struct {
	ID        string `json:"id"`
	Subscribe []struct {
		NameTopic
		Status string `json:"status"`
	} `json:"subscribe"`
	Events []struct {
		NameTopic
		Received *NameTopic `json:"received"`
	} `json:"events"`
}

// Payload is a vector of payloads.json.
type Payload struct {
	ID         string `json:"id"`
	PayloadHex Hex    `json:"payload_hex"`
	Status     string `json:"status"`
	Reason     string `json:"reason"`
	Format     string `json:"format"`
}

// Status is a vector of status.json; Constant is nil for a number that is none.
type Status struct {
	ID       string  `json:"id"`
	Constant *string `json:"constant"`
	Number   int     `json:"number"`
	Text     string  `json:"text"`
}

// Load reads all vectors of a file. A field that V does not have is refused, so
// that no runner passes over one.
func Load[V any](t testing.TB, name string) []V {
	data, err := files.ReadFile(name)
	require.NoError(t, err)
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	var file struct {
		About   string `json:"about"`
		Vectors []V    `json:"vectors"`
	}
	require.NoError(t, decoder.Decode(&file), name)
	require.NotEmpty(t, file.Vectors, name)
	return file.Vectors
}
