// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import "sync"

// Why connections are cut off.
const (
	NoPublisher          = "it is no publisher that speaks ZMTP 3"
	NoSubscriber         = "it is no subscriber that speaks ZMTP 3"
	SilentHandshake      = "no handshake in time"
	TooManyHandshakes    = "too many connections without a handshake"
	NoDescriptors        = "no file descriptors left for its connection"
	TooLargeFrame        = "a frame over the limit"
	EndlessMessage       = "a message over the limit that does not end"
	Unfinished           = "its message does not go on, and too many others are not finished"
	TooManySubscriptions = "more subscriptions than one subscriber may have"
	Frozen               = "it takes nothing of what waits for it"
	Slow                 = "too much waits for it"
	NoMemory             = "no memory for its connection"
)

// CutOff tells of connections that were cut off for the same reason.
type CutOff struct {
	Reason  string
	Address string // of the last one; empty if it cannot be told
	Count   int
}

// cutOffs are those of a proxy. Safe for concurrent use.
type cutOffs struct {
	news  chan struct{} // has one element when there is something to take
	mu    sync.Mutex
	count uint64
	fresh []CutOff // since the last take, a line for each reason
}

func (c *cutOffs) add(reason, address string, count uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count += count
	select {
	case c.news <- struct{}{}:
	default: // it has been told
	}
	for i := range c.fresh {
		if c.fresh[i].Reason == reason {
			c.fresh[i].Count += int(count)
			c.fresh[i].Address = address
			return
		}
	}
	c.fresh = append(c.fresh, CutOff{Reason: reason, Address: address, Count: int(count)})
}

func (c *cutOffs) take() []CutOff {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.fresh
	c.fresh = nil
	return fresh
}

func (c *cutOffs) total() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}
