// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// A Go service: it receives the fleet's events, and every 50 ms it publishes a
// summary of the readings among them.
//
//	go-service PUBLISHER_URI SUBSCRIBER_URI [NAME …]
//
// It prints `got <name> <topic>` for each event of the names, until its standard
// input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync/atomic"
	"time"

	"github.com/juicebus/juicebus/core"
)

// Reading is what a driver measures.
type Reading struct {
	Kelvin float64 `json:"kelvin"`
}

// Summary is what this service makes of the readings.
type Summary struct {
	Time         time.Time `json:"time"`
	Service      string    `json:"service"`
	LatestKelvin *float64  `json:"latest_kelvin"`
}

// latest is written by the receiving goroutine and read by the publishing one.
var latest atomic.Pointer[Reading]

func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: go-service PUBLISHER_URI SUBSCRIBER_URI NAME …")
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	go func() {
		if err := receive(ctx, os.Args[2], os.Args[3:]); err != nil {
			log.Fatal(err)
		}
	}()
	if err := publish(ctx, os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func receive(ctx context.Context, uri string, names []string) error {
	subscriber, err := core.NewSubscriber(uri)
	if err != nil {
		return err
	}
	defer subscriber.Close()
	for _, name := range names {
		if err := subscriber.Subscribe(name, ""); err != nil {
			return err
		}
	}
	for event, err := range subscriber.Events(ctx) {
		if err != nil {
			return err
		}
		fmt.Println("got", event.Name, event.Topic)
		if event.Name != "FridgeReading" {
			continue
		}
		reading, err := core.Decode[Reading](event)
		if err != nil {
			return err
		}
		latest.Store(&reading.Value)
	}
	return nil
}

func publish(ctx context.Context, uri string) error {
	publisher, err := core.NewPublisher(uri)
	if err != nil {
		return err
	}
	defer publisher.CloseWithin(time.Second)
	summary := Summary{Service: "go-service"}
	tick := time.Tick(50 * time.Millisecond)
	for {
		select {
		case <-ctx.Done():
			return nil
		case summary.Time = <-tick:
		}
		if reading := latest.Load(); reading != nil {
			summary.LatestKelvin = &reading.Kelvin
		}
		event, err := core.NewEvent("FridgeSummary", summary.Service, summary)
		if err != nil {
			return err
		}
		if err := publisher.Publish(ctx, event); err != nil && ctx.Err() == nil {
			return err
		}
	}
}
