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
//		Time   time.Time `json:"time"`
//		Kelvin float64   `json:"kelvin"`
//	}
//
// Fields are named by their `json` tags in CBOR too, unless they have `cbor` tags. In all
// languages the names must be the same.
//
// # Publishing
//
// [NewPublisher] connects in the background, and again whenever the connection is
// lost. While there is none, events wait in a queue, in order; when that is full,
// [Publisher.Publish] waits as long as its context allows, or drops and counts by the
// [Overflow] policy. [Publisher.Flush] waits until the proxy has confirmed what was
// published. [Publisher.Close] hands over what is queued, or says how much is left.
//
// # Subscribing
//
// [NewSubscriber] connects in the background, [Subscriber.Subscribe] says which
// events are wanted, and [Subscriber.Ready] waits until the proxy has confirmed it.
// [Subscriber.Get] waits for an event, [Subscriber.Events] ranges over them, and
// [Values] ranges over decoded ones. A waiting goroutine holds no thread. What nobody
// takes is kept, up to the limits. What the subscriber will never get is counted:
// [SubscriberStats].
//
// # The proxy
//
// [NewProxy] listens, [Proxy.Run] forwards. The juicebus-proxy command is this. A
// proxy drops nothing: whoever lets too much wait for it, or breaks another limit or
// the protocol, is disconnected, and may come back.
//
// # Conventions
//
// Publisher, Subscriber and Proxy may be used by many goroutines at once; Close
// may be called while others wait, which then get [ErrClosed]. Errors say what
// was asked, of whom, and why not, and match the sentinels of this package by
// [errors.Is]; two names that exclude each other are an [AmbiguousError], by
// [errors.As]. The context's own errors come through as they are. Delivery is at
// most once; what is lost is counted in the Stats. What happens to a connection is told
// by [Publisher.Notices] and [Subscriber.Notices].
//
// # Callers outside Go
//
// The C ABI waits outside Go, so it uses what does not wait: the Try methods,
// [Subscriber.TakeBatch], the FD methods, [Poisoned]. The usual event it takes and
// publishes past Go, by the End methods. A Go service has no need of them.
//
// The work is done below: package key makes keys, package codec payloads, and
// package socket speaks to libzmq.
package core
