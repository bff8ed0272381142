// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package core publishes and receives the events of an OrangeQS Juice fleet.
//
// A fleet has one central proxy. Publishers connect to one of its ports (5122 by
// default), subscribers to the other (5123), and whoever subscribed to an
// event's name and topic receives it. Python services, C and C++ drivers and Go
// services share one wire; a Go service imports this package and nothing else.
//
// # Events
//
// An [Event] has a name, which says what kind of event it is, a topic, by which
// subscribers choose among events of one name, and a payload. [NewEvent] makes
// one from a struct, [Event.Decode] fills a struct from one. Payloads are CBOR, or
// JSON for readers that have not moved to juicebus yet: [NewJSONEvent]. Both are
// read. An event with other than one payload frame is not looked at.
//
//	type Temperature struct {
//		Time   time.Time `cbor:"time"`
//		Kelvin float64   `cbor:"kelvin"`
//	}
//
// # Publishing
//
// [NewPublisher] connects in the background. [Publisher.Publish] waits for the
// first connection and for room in the queue as long as its context allows, and
// never drops the event instead. [Publisher.Close] hands over what is queued.
//
// # Subscribing
//
// [NewSubscriber] connects in the background, [Subscriber.Subscribe] says which
// events are wanted. [Subscriber.Get] waits for one, [Subscriber.Events] ranges
// over them, and [Values] ranges over decoded ones. A waiting goroutine holds no
// thread.
//
// # The proxy
//
// [NewProxy] listens, [Proxy.Run] forwards. The juicebus-proxy command is this.
//
// # Conventions
//
// Publisher, Subscriber and Proxy may be used by many goroutines at once; Close
// may be called while others wait, which then get [ErrClosed]. Errors say what
// was asked, of whom, and why not, and match the sentinels of this package by
// [errors.Is]; two names that exclude each other are an [AmbiguousError], by
// [errors.As]. The context's own errors come through as they are. Delivery is at
// most once; what a queue drops is counted in the Stats.
//
// # Callers outside Go
//
// The C ABI waits outside Go, so it uses what does not wait: the Try methods,
// [Subscriber.TakeBatch], the FD methods, EnterWait and LeaveWait, [Poisoned]. A
// Go service has no need of them.
//
// The work is done below: package key makes keys, package codec payloads, and
// package socket speaks to libzmq.
package core
