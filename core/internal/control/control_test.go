// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package control_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/tests/vectors"
)

// made is a vector's message as this package makes it.
func made(t *testing.T, v vectors.Control) [][]byte {
	var identity control.Identity
	copy(identity[:], v.IdentityHex.Bytes(t))
	var number [16]byte
	copy(number[:], v.NumberHex.Bytes(t))
	switch v.ID {
	case "everything":
		return [][]byte{nil}
	case "announce_port", "announce_uri":
		return [][]byte{control.Announcement{Address: v.Address, Mark: identity.Mark()}.Bytes()}
	case "welcome_wanted":
		return [][]byte{control.WelcomeKey()}
	case "welcome":
		return [][]byte{control.Welcome(identity)}
	case "ready_asked", "ready_forgotten":
		return [][]byte{control.ReadyKey(number)}
	case "ready_answered":
		return [][]byte{control.ReadyKey(number), identity[:]}
	case "flush_heard":
		return [][]byte{control.FlushKey(number)}
	case "flush_asked", "flush_answered":
		return [][]byte{control.FlushKey(number), control.FlushNumber(v.Count)}
	case "checkpoints_wanted":
		return [][]byte{control.CheckpointKey([]byte(v.Filter))}
	case "checkpoint":
		c := control.Checkpoint{Identity: identity, Era: v.Era, Count: v.Count}
		return [][]byte{control.CheckpointKey([]byte(v.Filter)), c.Bytes()}
	}
	t.Fatalf("a message that this package does not know: %s", v.ID)
	return nil
}

func TestMessagesAreMadeAsTheVectorsSay(t *testing.T) {
	for _, v := range vectors.Load[vectors.Control](t, "control.json") {
		t.Run(v.ID, func(t *testing.T) {
			for i, frame := range made(t, v) {
				want := v.FramesHex[i].Bytes(t)
				if v.As == "subscription" {
					want = want[1:]
				}
				assert.Equal(t, string(want), string(frame))
			}
		})
	}
}

func TestMessagesAreReadAsTheVectorsSay(t *testing.T) {
	for _, v := range vectors.Load[vectors.Control](t, "control.json") {
		t.Run(v.ID, func(t *testing.T) {
			key := v.FramesHex[0].Bytes(t)
			if v.As == "subscription" {
				key = key[1:]
			}
			if v.Address != "" {
				a, ok := control.ReadAnnouncement(key)
				require.True(t, ok)
				assert.Equal(t, v.Address, a.Address)
				assert.Equal(t, v.IdentityHex.Bytes(t)[0], a.Mark)
			}
			if v.ID == "welcome" {
				id, ok := control.ReadWelcome(key)
				require.True(t, ok)
				assert.Equal(t, v.IdentityHex.Bytes(t), id[:])
			}
			assert.Equal(t, v.NumberHex != "" && key[1] == 'r', control.IsReadyKey(key))
			assert.Equal(t, v.NumberHex != "" && key[1] == 'f', control.IsFlushKey(key))
			filter, ok := control.ReadCheckpointKey(key)
			assert.Equal(t, v.Filter != "", ok)
			assert.Equal(t, v.Filter, string(filter))
			if v.ID == "checkpoint" {
				c, ok := control.ReadCheckpoint(v.FramesHex[1].Bytes(t))
				require.True(t, ok)
				assert.Equal(t, v.Count, c.Count)
				assert.Equal(t, v.Era, c.Era)
			}
			if v.ID == "flush_asked" {
				n, ok := control.ReadFlushNumber(v.FramesHex[1].Bytes(t))
				require.True(t, ok)
				assert.Equal(t, v.Count, n)
			}
		})
	}
}

func TestAnotherVersionIsAsGoodAsNone(t *testing.T) {
	id := control.NewIdentity()
	announcement, welcome := control.Announcement{Mark: id.Mark()}.Bytes(), control.Welcome(id)
	announcement[2], welcome[2] = 2, 2
	_, ok := control.ReadAnnouncement(announcement)
	assert.False(t, ok)
	_, ok = control.ReadWelcome(welcome)
	assert.False(t, ok)
}

func TestWhatIsCutShortIsNotRead(t *testing.T) {
	id := control.NewIdentity()
	whole := [][]byte{
		control.Announcement{Mark: id.Mark()}.Bytes(), control.Welcome(id), control.ReadyKey(id),
		control.FlushKey(id), control.CheckpointKey([]byte("A.")),
	}
	for _, key := range whole {
		for size := range len(key) {
			cut := key[:size]
			_, announced := control.ReadAnnouncement(cut)
			_, welcomed := control.ReadWelcome(cut)
			_, checkpoint := control.ReadCheckpointKey(cut)
			assert.False(t, announced || welcomed || checkpoint || control.IsReadyKey(cut) || control.IsFlushKey(cut), "%x", cut)
		}
	}
	_, ok := control.ReadCheckpointKey(control.CheckpointKey([]byte("A")))
	assert.False(t, ok, "the filter has no dot")
	_, ok = control.ReadCheckpoint(make([]byte, 31))
	assert.False(t, ok)
	_, ok = control.ReadFlushNumber(make([]byte, 7))
	assert.False(t, ok)
}

func TestAnnouncedPortIsOfThePublishersHost(t *testing.T) {
	for address, uri := range map[string]string{
		"tcp:5123":           "tcp://lab:5123",
		"tcp://[::1]:5123":   "tcp://[::1]:5123",
		"ipc:///run/juice/x": "ipc:///run/juice/x",
	} {
		assert.Equal(t, uri, control.Announcement{Address: address}.SubscriberURI("lab"))
	}
	assert.Equal(t, "tcp://[::1]:5", control.Announcement{Address: "tcp:5"}.SubscriberURI("::1"))
}
