// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Gobus is a publisher, or the subscriber, of a cell of the benchmark in Go with the
// batch calls, as bus.c is in C. It prints one line of JSON.
//
//	gobus pub CELL URI INDEX | gobus sub CELL URI
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/juicebus/juicebus/core"
)

const (
	name    = "Tick"
	topic   = "t00000"
	timeout = time.Minute
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gobus:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 3 {
		return errors.New("usage: gobus pub CELL URI INDEX | gobus sub CELL URI")
	}
	cell, err := open(arguments[1])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if arguments[0] == "sub" {
		return subscribe(ctx, cell, arguments[2])
	}
	index, err := strconv.ParseUint(arguments[len(arguments)-1], 10, 64)
	if err != nil {
		return err
	}
	publisher, err := core.NewPublisher(arguments[2])
	if err != nil {
		return err
	}
	return errors.Join(publish(ctx, cell, publisher, index), publisher.Close(ctx))
}

func publish(ctx context.Context, cell *shared, publisher *core.Publisher, index uint64) error {
	events := make([]core.Event, cell.batch)
	for i := range events {
		events[i] = core.Event{Name: name, Topic: topic, Frames: [][]byte{[]byte(payload)}}
	}
	setNumber(events[0].Frames[0], probeNumber(index))
	for cell.run.Load() == 0 {
		if err := publisher.Publish(ctx, events[0]); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	before, err := clockNS(processCPU)
	if err != nil {
		return err
	}
	for next := uint64(0); next < cell.events; {
		batch := events[:min(cell.batch, cell.events-next)]
		for _, event := range batch {
			setNumber(event.Frames[0], next)
			next++
		}
		count := uint64(len(batch))
		if err := cell.await(cell.sent.Add(count), cell.window); err != nil {
			return err
		}
		if _, err := publisher.PublishMany(ctx, batch); err != nil {
			return err
		}
	}
	if err := cell.await(cell.total(), 0); err != nil {
		return err
	}
	after, err := clockNS(processCPU)
	fmt.Printf("{\"events\": %d, \"cpu_ns\": %d}\n", cell.events, after-before)
	return err
}

// clocks are what is read before and after.
type clocks struct {
	at         time.Time
	cpu, proxy int64
}

func read(proxyPID uint64) (c clocks, err error) {
	var err1, err2 error
	c.at = time.Now()
	c.cpu, err1 = clockNS(processCPU)
	c.proxy, err2 = clockNS(cpuOf(proxyPID))
	return c, errors.Join(err1, err2)
}

func subscribe(ctx context.Context, cell *shared, uri string) error {
	subscriber, err := core.NewSubscriber(uri)
	if err != nil {
		return err
	}
	if err := errors.Join(subscriber.Subscribe(name, ""), subscriber.Ready(ctx)); err != nil {
		return err
	}
	var before clocks
	var received, sum uint64
	probed := make(map[uint64]bool)
	for received < cell.total() {
		idle, cancel := context.WithTimeout(ctx, idleTimeout)
		events, err := subscriber.GetMany(idle, int(cell.batch))
		cancel()
		if err != nil {
			return fmt.Errorf("lost: %d of %d received: %w", received, cell.total(), err)
		}
		for _, event := range events {
			n := number(event.Frames[0])
			if ^n >= cell.publishers {
				received++
				sum += n
			} else if !probed[n] {
				if probed[n] = true; uint64(len(probed)) == cell.publishers {
					if before, err = read(cell.proxyPID); err != nil {
						return err
					}
					cell.run.Store(1)
				}
			}
		}
		cell.received.Store(received)
	}
	after, err := read(cell.proxyPID)
	if err != nil {
		return err
	}
	stats, err := subscriber.Stats()
	if err != nil {
		return err
	}
	if sum != cell.publishers*(cell.events*(cell.events-1)/2) || stats.Lost != 0 {
		return fmt.Errorf("not every event came once; lost %d", stats.Lost)
	}
	fmt.Printf("{\"events\": %d, \"wall_ns\": %d, \"cpu_ns\": %d, \"proxy_cpu_ns\": %d}\n", received,
		after.at.Sub(before.at).Nanoseconds(), after.cpu-before.cpu, after.proxy-before.proxy)
	return subscriber.Close()
}
