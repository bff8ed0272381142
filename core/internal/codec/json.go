// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
)

// notFinite are the texts by which today's fleet writes what JSON has no number
// for. They stand for numbers only where the target is a float.
var notFinite = map[string]float64{
	"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1),
}

// EncodeJSON turns a struct or a map into a JSON payload.
func EncodeJSON(v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: encode %T: %w", ErrPayload, v, err)
	}
	return payload, Check(payload)
}

// decodeJSON reads JSON by way of CBOR, so that a struct is filled by the same
// rules whatever the payload's format.
func decodeJSON(payload []byte, v any) error {
	if err := checkJSON(payload); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return fmt.Errorf("%w: JSON: %w", ErrPayload, err)
	}
	mode, err := encoding()
	if err != nil {
		return err
	}
	again, err := mode.Marshal(fit(tree, reflect.TypeOf(v)))
	if err != nil {
		return fmt.Errorf("%w: JSON: %w", ErrPayload, err)
	}
	return decodeCBOR(again, v)
}

// fit turns JSON's numbers into numbers, and the texts of notFinite into floats
// where the target type wants floats.
func fit(tree any, target reflect.Type) any {
	for target != nil && target.Kind() == reflect.Pointer {
		target = target.Elem()
	}
	switch value := tree.(type) {
	case json.Number:
		return number(value)
	case string:
		if f, ok := notFinite[value]; ok && isFloat(target) {
			return f
		}
	case []any:
		for i := range value {
			value[i] = fit(value[i], element(target))
		}
	case map[string]any:
		for name := range value {
			value[name] = fit(value[name], field(target, name))
		}
	}
	return tree
}

func number(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	if i, ok := new(big.Int).SetString(n.String(), 10); ok {
		return i
	}
	f, err := n.Float64()
	if err != nil { // beyond float64: as large as it gets
		f = math.Copysign(math.Inf(1), f)
	}
	return f
}

func isFloat(t reflect.Type) bool {
	return t != nil && (t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32)
}

func element(t reflect.Type) reflect.Type {
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		return t.Elem()
	}
	return nil
}

// field finds the type that a name is decoded into, by the tags that the CBOR
// decoder honours.
func field(t reflect.Type, name string) reflect.Type {
	switch {
	case t == nil:
		return nil
	case t.Kind() == reflect.Map:
		return t.Elem()
	case t.Kind() != reflect.Struct:
		return nil
	}
	var folded reflect.Type
	for _, f := range reflect.VisibleFields(t) {
		tag, ok := f.Tag.Lookup("cbor")
		if !ok {
			tag = f.Tag.Get("json")
		}
		known, _, _ := strings.Cut(tag, ",")
		if known == "" {
			known = f.Name
		}
		if known == name {
			return f.Type
		}
		if strings.EqualFold(known, name) {
			folded = f.Type
		}
	}
	return folded
}
