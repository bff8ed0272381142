// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

// #include <stdlib.h>
// #include "block.h"
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
	topic := nameSize
	if len(key) > nameSize+1 {
		topic = nameSize + 1
	}
	r.topic = (*C.char)(unsafe.Pointer(&key[topic]))
	r.name_size = C.size_t(nameSize)
	r.topic_size = C.size_t(len(key) - 1 - topic)
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
	C.free(unsafe.Pointer(b.c))
	b.c = nil
}
