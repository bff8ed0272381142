// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

// #include "../core/internal/socket/memory.h"
// #include "exports.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"github.com/juicebus/juicebus/core"
)

//export gojb_proxy_open
func gojb_proxy_open(pubURI, subURI *C.cchar_t, o *C.juicebus_proxy_options, handle *C.uint64_t) (result C.int) {
	defer guard(&result)
	proxy, err := core.NewProxy(C.GoString((*C.char)(pubURI)), C.GoString((*C.char)(subURI)),
		core.Hold(time.Duration(min(max(o.hold_ms, -1), 1<<40))*time.Millisecond),
		core.MaxBytes(o.max_bytes), core.MaxEventBytes(o.max_event_bytes), core.MaxKeys(o.max_keys),
		core.MaxSubscriptions(o.max_subscriptions))
	if err != nil {
		return status(err)
	}
	number, err := handles.add(proxyKind, proxy)
	if err != nil {
		return status(errors.Join(err, proxy.Close()))
	}
	// Run recovers by itself. How it ended shows in the fd, and in the next call.
	go func() { _ = proxy.Run(context.Background()) }()
	*handle = C.uint64_t(number)
	return C.JUICEBUS_OK
}

//export gojb_proxy_uris
func gojb_proxy_uris(handle C.uint64_t, pubURI *C.char, pubSize C.size_t, subURI *C.char, subSize C.size_t) (result C.int) {
	defer guard(&result)
	proxy, err := get[*core.Proxy](uint64(handle), proxyKind)
	if err != nil {
		return status(err)
	}
	// Nothing is written unless both fit.
	if err := fits(proxy.SubURI(), subSize); err != nil {
		return status(err)
	}
	if err := put(proxy.PubURI(), pubURI, pubSize); err != nil {
		return status(err)
	}
	return status(put(proxy.SubURI(), subURI, subSize))
}

//export gojb_proxy_keys
func gojb_proxy_keys(handle C.uint64_t, batch *C.juicebus_key_batch) (result C.int) {
	defer guard(&result)
	proxy, err := get[*core.Proxy](uint64(handle), proxyKind)
	if err != nil {
		return status(err)
	}
	counts, err := proxy.Keys()
	if err != nil {
		return status(err)
	}
	if len(counts) == 0 {
		return C.JUICEBUS_TIMEOUT
	}
	keys := keyCounts(counts)
	if keys == nil {
		return status(fmt.Errorf("juicebus: %d key counts: %w", len(counts), syscall.ENOMEM))
	}
	*batch = C.juicebus_key_batch{keys: keys, count: C.size_t(len(counts))}
	return C.JUICEBUS_OK
}

// keyCounts copies counts into one block of C memory: the array, then the keys. It
// returns nil without memory, where C.malloc would end the process.
func keyCounts(counts []core.KeyCount) *C.juicebus_key_count {
	table := len(counts) * int(unsafe.Sizeof(C.juicebus_key_count{}))
	size := table
	for i := range counts {
		size += len(counts[i].Key) + 1
	}
	block := C.jb_malloc(C.size_t(size))
	if block == nil {
		return nil
	}
	keys := unsafe.Slice((*C.juicebus_key_count)(block), len(counts))
	rest := memory(block, C.size_t(size))[table:]
	for i, count := range counts {
		keys[i] = C.juicebus_key_count{
			key: (*C.char)(unsafe.Pointer(unsafe.SliceData(rest))), key_size: C.size_t(len(count.Key)),
			events: C.uint64_t(count.Events), bytes: C.uint64_t(count.Bytes),
			last_seen_unix_ns: C.int64_t(count.LastSeen.UnixNano()),
		}
		rest[copy(rest, count.Key)] = 0
		rest = rest[len(count.Key)+1:]
	}
	return (*C.juicebus_key_count)(block)
}

//export gojb_proxy_fd
func gojb_proxy_fd(handle C.uint64_t, fd *C.int) (result C.int) {
	defer guard(&result)
	proxy, err := get[*core.Proxy](uint64(handle), proxyKind)
	if err != nil {
		return status(err)
	}
	return duplicate(proxy.FD, fd)
}

//export gojb_proxy_stats
func gojb_proxy_stats(handle C.uint64_t, stats *C.struct_juicebus_proxy_stats) (result C.int) {
	defer guard(&result)
	proxy, err := get[*core.Proxy](uint64(handle), proxyKind)
	if err != nil {
		return status(err)
	}
	s, err := proxy.Stats()
	if err != nil {
		return status(err)
	}
	*stats = C.struct_juicebus_proxy_stats{
		events: C.uint64_t(s.Events), bytes: C.uint64_t(s.Bytes), refused: C.uint64_t(s.Refused),
		keys: C.uint64_t(s.Keys), cut_off: C.uint64_t(s.CutOff),
	}
	return C.JUICEBUS_OK
}

//export gojb_proxy_close
func gojb_proxy_close(handle C.uint64_t) (result C.int) {
	defer guard(&result)
	proxy, first, err := closeHandle[*core.Proxy](uint64(handle), proxyKind)
	if err != nil || !first {
		return status(err)
	}
	return status(proxy.Close())
}
