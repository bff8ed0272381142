// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include "block.h"
// #include "memory.h"
import "C"

import "unsafe"

// Block is a batch of events in one piece of C memory; block.h has its layout.
// The owner frees it with Release, or hands Bytes to somebody who calls free.
type Block struct{ c *C.struct_jb_block }

// Len is the number of events.
func (b *Block) Len() int { return int(b.c.count) }

// Bytes is the whole block.
func (b *Block) Bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(b.c)), int(b.c.size))
}

func (b *Block) records() []C.struct_jb_record {
	return unsafe.Slice(b.c.records, int(b.c.count))
}

// Sorted is how many events, in front, have been sorted in C: they are for this
// subscriber, split, and of a format.
func (b *Block) Sorted() int { return int(b.c.sorted) }

// Key is the first frame of an event, before Split.
func (b *Block) Key(i int) []byte {
	r := &b.records()[i]
	return unsafe.Slice((*byte)(unsafe.Pointer(r.name)), int(r.name_size))
}

// Frames is the number of an event's payload frames.
func (b *Block) Frames(i int) int { return int(b.records()[i].frame_count) }

// Frame is one payload frame of an event.
func (b *Block) Frame(i, j int) []byte {
	r := &b.records()[i]
	f := unsafe.Slice(r.frames, int(r.frame_count))[j]
	return unsafe.Slice((*byte)(f.data), int(f.size))
}

// Split splits an event's key into name and topic, and notes its payload's format.
func (b *Block) Split(i, nameSize, format int) {
	r := &b.records()[i]
	r.format = C.int32_t(format)
	C.jb_split(r, C.size_t(nameSize))
}

// Name is the name, after Split, valid until Release.
func (b *Block) Name(i int) []byte {
	r := &b.records()[i]
	return unsafe.Slice((*byte)(unsafe.Pointer(r.name)), int(r.name_size))
}

// Topic is the topic, the same; empty if there is none.
func (b *Block) Topic(i int) []byte {
	r := &b.records()[i]
	return unsafe.Slice((*byte)(unsafe.Pointer(r.topic)), int(r.topic_size))
}

// Oversize tells whether an event was over the limit, so that only its key is here.
func (b *Block) Oversize(i int) bool { return b.records()[i].flag != 0 }

// Sizes is what some events come to: their keys and payloads, and the memory that they
// take in a block of their own. After Split.
func (b *Block) Sizes(first, count int) (bytes, cost int64) {
	sizes := C.jb_block_sizes(b.c, C.size_t(first), C.size_t(count))
	return int64(sizes.bytes), int64(sizes.cost)
}

// Copy returns a new block with some of the events, after Split; nil without memory.
func (b *Block) Copy(first, count int) *Block {
	c := C.jb_block_copy(b.c, C.size_t(first), C.size_t(count))
	if c == nil {
		return nil
	}
	return &Block{c: c}
}

// Keep leaves only the events for which keep returns true, in order.
func (b *Block) Keep(keep func(i int) bool) {
	records := b.records()
	kept := 0
	for i := range records {
		if keep(i) {
			records[kept] = records[i]
			kept++
		}
	}
	b.c.count = C.size_t(kept)
}

// Release frees the block.
func (b *Block) Release() {
	C.jb_free(unsafe.Pointer(b.c))
	b.c = nil
}
