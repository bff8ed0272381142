// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Gopeer is the Go peer of the conformance matrix. `go-peer pub URI` reads lines of
// `name<TAB>topic<TAB>payload in hex` from standard input and publishes them;
// `go-peer sub URI name[:topic] …` prints events as such lines. Both end when
// standard input does. `ready` and `flushed` lines tell whether the proxy confirmed
// subscriptions, and that events arrived. Events pass through the structs of events.go.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/juicebus/juicebus/core"
)

const (
	sendTimeout  = 5 * time.Second
	askTimeout   = 60 * time.Second
	lineBytesMax = 1 << 20
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "go-peer:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[0] == "pub":
		return publish(arguments[1])
	case len(arguments) > 2 && arguments[0] == "sub":
		return subscribe(arguments[1], arguments[2:])
	}
	return errors.New("usage: go-peer pub URI | go-peer sub URI name[:topic] …")
}

func publish(uri string) error {
	publisher, err := core.NewPublisher(uri)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	for sent := 1; lines.Scan(); sent++ {
		if err := publishLine(publisher, lines.Text()); err != nil {
			return err
		}
		fmt.Println("sent", sent)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if err := ask("flushed", publisher.Flush); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	return publisher.Close(ctx)
}

// ask says what the proxy answered.
func ask(what string, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	err := call(ctx)
	if errors.Is(err, core.ErrUnconfirmed) {
		fmt.Println(what, "unconfirmed")
		return nil
	}
	if err == nil {
		fmt.Println(what, "confirmed")
	}
	return err
}

func publishLine(publisher *core.Publisher, line string) error {
	parts := strings.Split(line, "\t")
	if len(parts) != 3 {
		return fmt.Errorf("a line is not name, topic and hex: %q", line)
	}
	payload, err := hex.DecodeString(parts[2])
	if err != nil {
		return err
	}
	event := core.Event{Name: parts[0], Topic: parts[1], Frames: [][]byte{payload}}
	// NewEvent writes CBOR; what is to be JSON goes out as it is.
	if payload[0] != '{' {
		if event, err = throughStruct(event); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	return publisher.Publish(ctx, event)
}

func subscribe(uri string, filters []string) error {
	subscriber, err := core.NewSubscriber(uri)
	if err != nil {
		return err
	}
	for _, filter := range filters {
		name, topic, _ := strings.Cut(filter, ":")
		if err := subscriber.Subscribe(name, topic); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	if err := ask("ready", subscriber.Ready); err != nil {
		return err
	}
	for event, err := range subscriber.Events(ctx) {
		if err != nil {
			return err
		}
		if event, err = throughStruct(event); err != nil {
			return err
		}
		fmt.Printf("%s\t%s\t%x\n", event.Name, event.Topic, event.Frames[0])
	}
	return subscriber.Close()
}
