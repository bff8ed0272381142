// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"strings"
	"time"

	"github.com/juicebus/juicebus/core"
)

// Span is a nested part of a Reading.
type Span struct {
	Low  float64 `cbor:"low"`
	High float64 `cbor:"high"`
	Unit string  `cbor:"unit"`
}

// Reading is the conformance run's event with every kind of field.
type Reading struct {
	Time      time.Time `cbor:"time"`
	Channel   *string   `cbor:"channel"`
	Publisher string    `cbor:"publisher"`
	Number    int       `cbor:"number"`
	Value     float64   `cbor:"value"`
	Note      string    `cbor:"note"`
	Span      Span      `cbor:"span"`
	Samples   []float64 `cbor:"samples"`
	Comment   *string   `cbor:"comment"`
}

// TemperaturePoint is Juice's event of that name.
type TemperaturePoint struct {
	Time        time.Time `cbor:"time"`
	ServiceName string    `cbor:"service_name"`
	ComponentID string    `cbor:"component_id"`
	SensorID    string    `cbor:"sensor_id"`
	Level       string    `cbor:"level"`
	Temperature float64   `cbor:"temperature"`
}

// throughStruct decodes an event of either codec into its struct and makes a new
// one from that, so that what the struct lost the runner misses.
func throughStruct(event core.Event) (core.Event, error) {
	if strings.HasPrefix(event.Name, "lab.") {
		return again[Reading](event)
	}
	return again[TemperaturePoint](event)
}

func again[T any](event core.Event) (core.Event, error) {
	typed, err := core.Decode[T](event)
	if err != nil {
		return core.Event{}, err
	}
	return core.NewEvent(typed.Name, typed.Topic, typed.Value)
}
