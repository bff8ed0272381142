// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// What a proxy says besides events: who it is, that subscriptions are live, what has
// arrived, and what it has forwarded. Comes from what socket heard; next: ready.go of
// a subscriber, flush.go of a publisher.

package core

import (
	"strings"
	"time"

	"github.com/juicebus/juicebus/core/internal/control"
	"github.com/juicebus/juicebus/core/internal/endpoint"
	"github.com/juicebus/juicebus/core/internal/socket"
)

// announcement says where the subscriber side listens, for those who are connected
// to pubURI: at the same host if that is what it listens at, or at every one.
func announcement(mark byte, pubURI, subURI string) control.Announcement {
	host, pubHost := endpoint.Host(subURI), endpoint.Host(pubURI)
	every := map[string]bool{"*": true, "0.0.0.0": true, "::": true}
	if host != "" && (every[host] || host == pubHost) {
		return control.Announcement{Address: "tcp:" + subURI[strings.LastIndexByte(subURI, ':')+1:], Mark: mark}
	}
	return control.Announcement{Address: subURI, Mark: mark}
}

// answer takes what peers said into account and answers what they asked. It is called
// when the batch that they said it in has been forwarded: the pipes keep the order.
func (p *Proxy) answer(batch socket.Batch) {
	now := time.Now()
	asked := false
	for _, heard := range batch.Heard {
		if filter, ok := control.ReadCheckpointKey(heard.Key); ok {
			switch heard.Kind {
			case socket.Subscribed:
				p.checkpoints.subscribe(filter)
			case socket.Unsubscribed:
				p.checkpoints.unsubscribe(filter)
			}
		}
		asked = asked || heard.Kind == socket.Subscribed && control.IsReadyKey(heard.Key)
	}
	// Before the answers: whoever knows that it is live knows its counts.
	p.checkpoints.tell(now, asked)
	for _, heard := range batch.Heard {
		switch {
		case heard.Kind == socket.FlushAsked:
			size := len(control.FlushKey([16]byte{}))
			p.forwarder.Tell(heard.Key[:size], heard.Key[size:])
		case heard.Kind == socket.Subscribed && control.IsReadyKey(heard.Key):
			p.forwarder.Tell(heard.Key, p.identity[:])
		}
	}
}
