// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
	"github.com/juicebus/juicebus/tests/vectors"
)

func TestErrorsAreTheStatusesOfTheVectors(t *testing.T) {
	errorOf := map[string]error{
		"JUICEBUS_OK": nil, "JUICEBUS_TIMEOUT": core.ErrQueueFull, "JUICEBUS_CLOSED": core.ErrClosed,
		"JUICEBUS_UNCONFIRMED": core.ErrUnconfirmed, "JUICEBUS_E_INVALID": core.ErrInvalid,
		"JUICEBUS_E_HANDLE": errHandle, "JUICEBUS_E_URI": core.ErrURI,
		"JUICEBUS_E_AMBIGUOUS": &core.AmbiguousError{Name: "A", Other: "A.B"},
		"JUICEBUS_E_PAYLOAD":   core.ErrPayload, "JUICEBUS_E_TOO_LARGE": core.ErrTooLarge,
		"JUICEBUS_E_NOT_CONNECTED": core.ErrNotConnected, "JUICEBUS_E_PANIC": core.ErrPanic,
		"JUICEBUS_E_SYSTEM": errors.New("anything else"),
	}
	for _, v := range vectors.Load[vectors.Status](t, "status.json") {
		if v.Constant == nil || *v.Constant == "JUICEBUS_E_FORKED" { // that one never reaches Go
			continue
		}
		t.Run(v.ID, func(t *testing.T) {
			err, known := errorOf[*v.Constant]
			require.True(t, known)
			assert.EqualValues(t, v.Number, status(err))
			if err != nil {
				assert.EqualValues(t, v.Number, status(fmt.Errorf("juicebus: publish to somebody: %w", err)))
			}
		})
	}
}
