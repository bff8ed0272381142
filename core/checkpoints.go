// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"container/list"
	"time"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// checkpointInterval is how late a subscriber may learn of what it has lost.
const checkpointInterval = 250 * time.Millisecond

// So many filters are counted on although nobody subscribes to them now, and so many bytes
// of filters: those who come back after a short outage learn what they missed.
const (
	maxForsaken      = 20_000
	maxForsakenBytes = 64 * maxForsaken
)

// checkpoints counts, for a proxy, the events that it has forwarded under each
// filter that a subscriber wants checkpoints of.
//
// A connection delivers all that is forwarded, or ends; so a subscriber that knows a
// filter's count keeps the count itself, until it connects again. A checkpoint is sent
// to whoever subscribes, and costs a fleet nothing otherwise.
type checkpoints struct {
	identity      control.Identity
	forwarder     *socket.Forwarder
	filters       map[string]*forwarded
	eras          uint64
	due           []*forwarded // those to tell about, each once
	fresh         int          // of them, those that nobody has been told about yet
	forsaken      list.List    // of *forwarded, the longest forsaken in front
	forsakenBytes int          // of their filters
	told          time.Time    // when due was last told
}

// forwarded is what has been forwarded under one filter.
type forwarded struct {
	filter      string
	events      *socket.Watched // nil before it is first told
	era         uint64
	subscribers int
	due, fresh  bool
	forsaken    *list.Element
}

func (c *checkpoints) init(identity control.Identity, forwarder *socket.Forwarder) {
	c.identity, c.forwarder, c.filters = identity, forwarder, make(map[string]*forwarded)
}

// subscribe notes that somebody wants checkpoints of a filter.
func (c *checkpoints) subscribe(filter []byte) {
	one := c.filters[string(filter)]
	if one == nil {
		c.eras++
		one = &forwarded{filter: string(filter), era: c.eras, fresh: true}
		c.filters[one.filter] = one
		c.fresh++
	}
	if one.forsaken != nil {
		c.takeBack(one)
	}
	one.subscribers++
	c.mark(one)
}

// unsubscribe notes that somebody does not any more.
func (c *checkpoints) unsubscribe(filter []byte) {
	one := c.filters[string(filter)]
	if one == nil || one.subscribers == 0 {
		return
	}
	if one.subscribers--; one.subscribers > 0 {
		return
	}
	one.forsaken = c.forsaken.PushBack(one)
	c.forsakenBytes += len(one.filter)
	for c.forsaken.Len() > maxForsaken || c.forsakenBytes > maxForsakenBytes {
		c.forget(c.forsaken.Front().Value.(*forwarded))
	}
}

// takeBack takes a filter from the forsaken ones.
func (c *checkpoints) takeBack(one *forwarded) {
	c.forsaken.Remove(one.forsaken)
	one.forsaken = nil
	c.forsakenBytes -= len(one.filter)
}

// forget counts no more under a filter that is forsaken.
func (c *checkpoints) forget(one *forwarded) {
	c.takeBack(one)
	delete(c.filters, one.filter)
	if one.events != nil {
		c.forwarder.Unwatch(one.events)
	}
}

func (c *checkpoints) mark(one *forwarded) {
	if !one.due {
		one.due = true
		c.due = append(c.due, one)
	}
}

// counts has the events under a filter counted from now on, if they are not, and tells
// whether they are: not without memory.
func (c *checkpoints) counts(one *forwarded) bool {
	if one.events == nil {
		one.events = c.forwarder.Watch(one.filter)
	}
	return one.events != nil
}

// wait is for how long nothing has to be told.
func (c *checkpoints) wait(now time.Time) (wait time.Duration, any bool) {
	if len(c.due) == 0 {
		return 0, false
	}
	return max(c.told.Add(checkpointInterval).Sub(now), 0), true
}

// tell sends the checkpoints that are due: all of them when it is time, or when
// somebody waits for them, else those that nobody has been told before. Those who
// subscribe at about the same time share one.
func (c *checkpoints) tell(now time.Time, all bool) {
	if wait, any := c.wait(now); any && wait == 0 {
		all = true
	}
	if len(c.due) == 0 || !all && c.fresh == 0 {
		return
	}
	due := c.due
	c.due, c.fresh = nil, 0
	for _, one := range due {
		if one.subscribers == 0 { // nobody would get it, and it may be counted no more
			one.due, one.fresh = false, false
			continue
		}
		if !all && !one.fresh || !c.counts(one) {
			c.due = append(c.due, one)
			continue
		}
		one.due, one.fresh = false, false
		checkpoint := control.Checkpoint{Identity: c.identity, Era: one.era, Count: one.events.Events()}
		c.forwarder.Tell(control.CheckpointKey([]byte(one.filter)), checkpoint.Bytes())
	}
	if all {
		c.told = now
	}
}
