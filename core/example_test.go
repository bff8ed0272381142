// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/juicebus/juicebus/core"
)

// Temperature is an event of a Go service: a struct with tagged fields.
type Temperature struct {
	Kelvin float64 `json:"kelvin"`
}

// A service publishes a struct and another one receives it, through a proxy that
// runs in the same process here.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	proxy, err := core.NewProxy("tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer proxy.Close()
	go proxy.Run(ctx)

	subscriber, err := core.NewSubscriber(proxy.SubURI())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer subscriber.Close()
	if err := subscriber.Subscribe("Temperature", "fridge.4K"); err != nil {
		fmt.Println(err)
		return
	}

	if err := subscriber.Ready(ctx); err != nil { // the subscription is live
		fmt.Println(err)
		return
	}

	publisher, err := core.NewPublisher(proxy.PubURI())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer publisher.Close(ctx)
	event, err := core.NewEvent("Temperature", "fridge.4K.upper", Temperature{Kelvin: 4.2})
	if err == nil {
		err = publisher.Publish(ctx, event)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	for received, err := range core.Values[Temperature](ctx, subscriber) {
		fmt.Println(received.Topic, received.Value.Kelvin, err)
		break
	}
	// Output: fridge.4K.upper 4.2 <nil>
}

// Without a queue, publishing says at once that there is no proxy.
func ExamplePublisher_Publish() {
	publisher, err := core.NewPublisher("tcp://127.0.0.1:1", core.MaxEvents(0)) // no proxy there
	if err != nil {
		fmt.Println(err)
		return
	}
	defer publisher.CloseWithin(0)
	event, _ := core.NewEvent("Temperature", "", Temperature{Kelvin: 4.2})
	err = publisher.Publish(context.Background(), event)
	fmt.Println(errors.Is(err, core.ErrNotConnected), err)
	// Output: true juicebus: publish "Temperature" to tcp://127.0.0.1:1: not connected: no proxy has answered there
}

// Names that are dotted prefixes of each other cannot be told apart on the wire.
func ExampleSubscriber_Subscribe() {
	subscriber, err := core.NewSubscriber("tcp://127.0.0.1:5123")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer subscriber.Close()
	fmt.Println(subscriber.Subscribe("lab.Temperature", ""))
	fmt.Println(subscriber.Subscribe("lab", ""))
	// Output:
	// <nil>
	// juicebus: subscribe "lab" at tcp://127.0.0.1:5123: ambiguous: the name "lab" and the subscribed name "lab.Temperature" are dotted prefixes of each other
}

// Today's fleet writes JSON; it fills the same struct.
func ExampleEvent_Decode() {
	event := core.Event{Name: "Temperature", Frames: [][]byte{[]byte(`{"kelvin": "NaN"}`)}}
	var t Temperature
	err := event.Decode(&t)
	fmt.Println(t.Kelvin, err)
	// Output: NaN <nil>
}

// A trace travels as one piece of memory.
func ExampleArray() {
	type Trace struct {
		Volts core.Array[float64] `cbor:"volts"`
	}
	event, err := core.NewEvent("Trace", "", Trace{core.Array[float64]{Shape: []int{2, 2}, Data: []float64{1, 2, 3, 4}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var trace Trace
	err = event.Decode(&trace)
	fmt.Println(trace.Volts.Shape, trace.Volts.Data, err)
	// Output: [2 2] [1 2 3 4] <nil>
}
