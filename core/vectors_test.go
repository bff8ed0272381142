// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
	"github.com/juicebus/juicebus/tests/vectors"
)

func TestKeysTravelAsTheVectorsSay(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	for _, v := range vectors.Load[vectors.Key](t, "keys.json") {
		t.Run(v.ID, func(t *testing.T) {
			name, topic := v.NameAndTopic(t)
			event := core.Event{Name: name, Topic: topic, Frames: [][]byte{empty}}
			s := newSubscriber(t, proxy.SubURI())
			if v.Status != "" {
				require.ErrorIs(t, s.Subscribe(name, topic), core.ErrInvalid)
				require.ErrorIs(t, s.Unsubscribe(name, topic), core.ErrInvalid)
				require.ErrorIs(t, p.Publish(within(t, deadline), event), core.ErrInvalid)
				return
			}
			require.NoError(t, s.Subscribe(name, topic))
			goLive(t, p, s)
			require.NoError(t, p.Publish(within(t, deadline), event))
			require.NoError(t, p.SendFrames(within(t, deadline), [][]byte{v.KeyHex.Bytes(t), empty}))
			for range 2 { // published and sent by its key, it is the same event
				assert.Equal(t, event, get(t, s))
			}
		})
	}
}

func TestFiltersChooseAsTheVectorsSay(t *testing.T) {
	proxy := startProxy(t)
	p := newPublisher(t, proxy.PubURI())
	for _, v := range vectors.Load[vectors.Filter](t, "filters.json") {
		t.Run(v.ID, func(t *testing.T) {
			s := newSubscriber(t, proxy.SubURI())
			for _, one := range v.Subscribe {
				err := s.Subscribe(one.Name, one.Topic)
				var ambiguous *core.AmbiguousError
				switch one.Status {
				case "OK":
					require.NoError(t, err)
				case "E_AMBIGUOUS":
					require.ErrorAs(t, err, &ambiguous)
				default:
					require.ErrorIs(t, err, core.ErrInvalid)
				}
			}
			goLive(t, p, s)
			require.NoError(t, s.Subscribe("end-of-vector", ""))
			goLive(t, p, s)
			for _, e := range v.Events {
				publish(t, p, e.Name, e.Topic)
			}
			publish(t, p, "end-of-vector", "")
			for _, e := range v.Events {
				if e.Received != nil {
					got := get(t, s)
					assert.Equal(t, *e.Received, vectors.NameTopic{Name: got.Name, Topic: got.Topic})
				}
			}
			assert.Equal(t, "end-of-vector", get(t, s).Name)
		})
	}
}

func TestPayloadsAreRefusedOrTravelAsTheVectorsSay(t *testing.T) {
	proxy := startProxy(t)
	checked := newPublisher(t, proxy.PubURI())
	unchecked := newPublisher(t, proxy.PubURI(), core.Unchecked{})
	s := newSubscriber(t, proxy.SubURI())
	require.NoError(t, s.Subscribe("V", ""))
	goLive(t, unchecked, s)
	for _, v := range vectors.Load[vectors.Payload](t, "payloads.json") {
		t.Run(v.ID, func(t *testing.T) {
			event := core.Event{Name: "V", Topic: v.ID, Frames: [][]byte{v.PayloadHex.Bytes(t)}}
			ctx := within(t, deadline)
			if v.Status != "OK" {
				require.ErrorIs(t, checked.Publish(ctx, event), core.ErrPayload)
				require.ErrorIs(t, core.CheckPayload(event.Frames[0]), core.ErrPayload)
			}
			require.NoError(t, unchecked.Publish(ctx, event))
			got := get(t, s)
			assert.Equal(t, event.Topic, got.Topic, "what was refused has not reached the bus")
			assert.Equal(t, len(event.Frames[0]), len(got.Frames[0]))
			var fields map[string]any
			if v.Status == "OK" {
				assert.NoError(t, got.Decode(&fields))
			} else {
				assert.ErrorIs(t, got.Decode(&fields), core.ErrPayload)
			}
		})
	}
}
