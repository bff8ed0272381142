// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import "hash/maphash"

// filterBytes is how long a subscriber's filters may be on average when they are as many
// as may be. libzmq keeps a node of 64 bytes for each of their bytes.
const filterBytes = 64

// filterFraming is what a filter has around it on the wire, at most: libzmq sends a
// command of its name, SUBSCRIBE.
const filterFraming = 24

// filterBytesMax is how many bytes the filters of one subscriber may have.
func (l PeerLimits) filterBytesMax() int { return filterBytes * l.Subscriptions }

// unreportedMax is how many bytes a subscriber may send of which nothing has told yet: as
// many as all its filters at once.
func (l PeerLimits) unreportedMax() uint64 {
	return uint64(l.filterBytesMax() + filterFraming*l.Subscriptions + unfinishedSlack)
}

// Subscribed notes a filter of the subscriber on a connection, or that it is given up.
func (p *Peers) Subscribed(fd int, subscribed bool, filter []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.peers[fd]
	if peer == nil || peer.cut {
		return
	}
	peer.message.ended = true
	hash := maphash.Bytes(p.seed, filter)
	_, known := peer.filters[hash]
	switch {
	case known && !subscribed:
		delete(peer.filters, hash)
		peer.filterBytes -= len(filter)
	case subscribed && !known:
		if peer.filters == nil {
			peer.filters = make(map[uint64]struct{})
		}
		peer.filters[hash] = struct{}{}
		peer.filterBytes += len(filter)
	}
	if len(peer.filters) <= p.limits.Subscriptions && peer.filterBytes <= p.limits.filterBytesMax() {
		return
	}
	// What is read here of a connection that is over counts for the one that has its
	// number now. That one has not sent as much.
	if flow, ok := peer.flow(); ok && flow.tcp && flow.read < uint64(peer.filterBytes+len(peer.filters)) {
		peer.filters, peer.filterBytes = nil, 0
		return
	}
	p.cut(peer, TooManySubscriptions)
}
