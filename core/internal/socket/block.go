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

// Split splits an event's key in place into two C strings: the dot behind the
// name and the final one become NUL. A key without a topic has only one dot; its
// topic is the empty string at that NUL.
func (b *Block) Split(i, nameSize, format int) {
	key := b.Key(i)
	r := &b.records()[i]
	r.format = C.int32_t(format)
	key[nameSize] = 0
	key[len(key)-1] = 0
	topic, topicSize := nameSize, 0
	if len(key) > nameSize+2 { // not for a second dot without a topic
		topic, topicSize = nameSize+1, len(key)-nameSize-2
	}
	r.topic = (*C.char)(unsafe.Pointer(&key[topic]))
	r.name_size = C.size_t(nameSize)
	r.topic_size = C.size_t(topicSize)
}

// Name is the name, after Split.
func (b *Block) Name(i int) string {
	r := &b.records()[i]
	return C.GoStringN(r.name, C.int(r.name_size))
}

// Topic is the topic, "" if there is none.
func (b *Block) Topic(i int) string {
	r := &b.records()[i]
	return C.GoStringN(r.topic, C.int(r.topic_size))
}

// Oversize tells whether an event was over the limit, so that only its key is here.
func (b *Block) Oversize(i int) bool { return b.records()[i].reserved != 0 }

// EventBytes is the size of an event's key and payload, before and after Split.
func (b *Block) EventBytes(i int) int {
	r := &b.records()[i]
	size := int(r.name_size)
	if r.topic != nil {
		size++ // the final dot
		if r.topic_size > 0 {
			size += int(r.topic_size) + 1
		}
	}
	for _, frame := range unsafe.Slice(r.frames, int(r.frame_count)) {
		size += int(frame.size)
	}
	return size
}

// Cost is the memory that an event takes, after Split.
func (b *Block) Cost(i int) int { return int(C.jb_record_cost(&b.records()[i])) }

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
