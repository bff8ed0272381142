// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// idleTimeout ends a cell in which nothing arrives any more.
const idleTimeout = 10 * time.Second

// shared is struct cell of cell.h: what several processes change has a cache line of its own.
type shared struct {
	publishers, events, keys, filters, subscribers, window, batch, unchecked, proxyPID uint64

	_        [56]byte
	run      atomic.Uint64
	_        [56]byte
	sent     atomic.Uint64
	_        [56]byte
	received atomic.Uint64
}

func open(path string) (*shared, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size := int(unsafe.Sizeof(shared{}))
	page, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	cell := (*shared)(unsafe.Pointer(unsafe.SliceData(page)))
	if cell.subscribers != 1 || cell.keys != 1 || cell.filters != 0 || cell.unchecked != 0 {
		return nil, errors.New("gobus is one subscriber, with one filter, of one key; payloads are checked")
	}
	return cell, nil
}

func (c *shared) total() uint64 { return c.publishers * c.events }

// await waits until sent is no further than ahead before what has been received.
func (c *shared) await(sent, ahead uint64) error {
	received, moved := c.received.Load(), time.Now()
	for sent > received+ahead {
		time.Sleep(200 * time.Microsecond)
		now := c.received.Load()
		if now != received {
			moved = time.Now()
		} else if time.Since(moved) > idleTimeout {
			return fmt.Errorf("publisher: stuck, %d of %d received", received, c.total())
		}
		received = now
	}
	return nil
}

// numberAt is where an event's number is in payload, which is event_template of event.h.
const numberAt = 9

const payload = "\xa7\x66number\x1b\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x64time\xc1\xfb\x41\xda\x00\x00\x00\x00\x00\x00" +
	"\x67channel\x6amxc-flange" +
	"\x64unit\x61K" +
	"\x66kelvin\xfb\x3f\x84\x7a\xe1\x47\xae\x14\x7b" +
	"\x63ohm\xfb\x40\xc3\x88\x00\x00\x00\x00\x00" +
	"\x67comment\x78\x21cooling down, about 12 mK to go.."

// probeNumber is the number of a publisher's probes; the events have theirs from 0.
func probeNumber(publisher uint64) uint64 { return ^publisher }

func number(payload []byte) uint64 { return binary.BigEndian.Uint64(payload[numberAt:]) }

func setNumber(payload []byte, number uint64) {
	binary.BigEndian.PutUint64(payload[numberAt:], number)
}

// processCPU is the clock of this process's CPU time, CLOCK_PROCESS_CPUTIME_ID.
const processCPU = 2

// cpuOf is the clock of the CPU time of a process, as clock_getcpuclockid makes it.
func cpuOf(pid uint64) int { return int(^pid<<3 | 2) }

func clockNS(clock int) (int64, error) {
	var now syscall.Timespec
	_, _, code := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&now)), 0)
	if code != 0 {
		return 0, code
	}
	return now.Nano(), nil
}
