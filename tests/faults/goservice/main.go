// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// A Go service with a proxy of its own, under load: at the line "round" on its standard
// input it does a round of everything, and at each line it prints how many goroutines it has.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"time"

	"github.com/juicebus/juicebus/core"
)

const (
	eventsARound   = 300
	topics         = 100
	proxiesAtFirst = 8
	patience       = 20 * time.Second
)

func main() {
	proxy, err := open()
	if err != nil {
		log.Fatal(err)
	}
	go run(proxy)
	if err := runAtOnce(proxiesAtFirst); err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "round" {
			if err := errors.Join(round(proxy), runAtOnce(1)); err != nil {
				log.Fatal(err)
			}
		}
		fmt.Println(runtime.NumGoroutine())
	}
}

func open() (*core.Proxy, error) {
	return core.NewProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", core.Hold(0))
}

// run forwards until the proxy is closed.
func run(proxy *core.Proxy) {
	if err := proxy.Run(context.Background()); !errors.Is(err, core.ErrClosed) {
		log.Fatal(err)
	}
}

// runAtOnce runs proxies, all at a time, until each has been found. The runtime keeps the
// threads that they need, enough for whatever comes later.
func runAtOnce(count int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	proxies := make([]*core.Proxy, count)
	for i := range proxies {
		proxy, err := open()
		if err != nil {
			return err
		}
		defer proxy.Close()
		go run(proxy)
		proxies[i] = proxy
	}
	for _, proxy := range proxies {
		publisher, err := core.NewPublisher(proxy.PubURI())
		if err != nil {
			return err
		}
		defer publisher.Close(ctx)
		if err := publisher.WaitConnected(ctx); err != nil {
			return err
		}
	}
	return nil
}

// round opens clients, exchanges events with and without a wait, and closes them.
func round(proxy *core.Proxy) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	subscriber, err := core.NewSubscriber(proxy.SubURI())
	if err != nil {
		return err
	}
	defer subscriber.Close()
	publisher, err := core.NewPublisher(proxy.PubURI())
	if err != nil {
		return err
	}
	defer publisher.Close(ctx)
	for topic := range topics {
		if err := subscriber.Subscribe("Numbered", fmt.Sprint(topic)); err != nil {
			return err
		}
	}
	if err := subscriber.Ready(ctx); err != nil {
		return err
	}
	short, stop := context.WithTimeout(ctx, time.Millisecond)
	_, err = subscriber.GetMany(short, 1)
	stop()
	if err == nil {
		return errors.New("an event came before the first was published")
	}
	for number := range eventsARound {
		event, err := core.NewEvent("Numbered", fmt.Sprint(number%topics), map[string]int{"number": number})
		if err != nil {
			return err
		}
		if err := publisher.Publish(ctx, event); err != nil {
			return err
		}
	}
	if err := publisher.Flush(ctx); err != nil {
		return err
	}
	for came := 0; came < eventsARound; {
		events, err := subscriber.GetMany(ctx, eventsARound)
		if err != nil {
			return err
		}
		came += len(events)
	}
	return nil
}
