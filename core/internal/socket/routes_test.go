// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// watch is a filter that is watched, since when, and what came under it after that.
type watch struct {
	filter        string
	watched       *Watched
	before, after uint64
}

func TestWatchedFiltersCountWhatComesUnderThemWhoeverHasThem(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	word := func(size int) string { return wordBelow(random, size) }
	p := openPass(t, anyPort)
	r, s := p.publisher(t), p.subscriber(t)
	var watches []*watch
	for range 40 {
		for range 20 {
			if len(watches) > 10 && random.IntN(2) == 0 {
				at := random.IntN(len(watches))
				p.Unwatch(watches[at].watched)
				watches[at] = watches[len(watches)-1]
				watches = watches[:len(watches)-1]
				continue
			}
			one := &watch{filter: word(12) + "."}
			one.watched = p.Watch(one.filter)
			one.before = one.watched.Events()
			watches = append(watches, one)
		}
		for range 20 {
			s.say(t, frame(0, append([]byte{byte(random.IntN(2))}, word(4)...)))
		}
		p.isLive(t, s)
		var events []byte
		sent := p.events
		for range 20 {
			key := word(12)
			run := 1 + random.IntN(3)
			sent += uint64(run)
			events = append(events, strings.Repeat(string(event(key, nil)), run)...)
			for _, one := range watches {
				if strings.HasPrefix(key, one.filter) {
					one.after += uint64(run)
				}
			}
		}
		r.say(t, events)
		p.serve(t, false, func() bool { return p.events == sent })
		for _, one := range watches {
			assert.Equal(t, one.before+one.after, one.watched.Events(), "%q", one.filter)
		}
	}
}
