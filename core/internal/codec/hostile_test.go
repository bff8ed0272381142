// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package codec_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/codec"
	"github.com/juicebus/juicebus/tests/vectors"
)

// The files whose vectors are judged alike by every language.
var payloadFiles = []string{"payloads.json", "cbor_rfc8949.json", "cbor_hostile.json"}

func everyPayload(t testing.TB) (all []vectors.Payload) {
	for _, file := range payloadFiles {
		all = append(all, vectors.Load[vectors.Payload](t, file)...)
	}
	return all
}

func TestHostilePayloadVerdictIsWhatTheVectorsSay(t *testing.T) {
	for _, v := range everyPayload(t) {
		t.Run(v.ID, func(t *testing.T) {
			payload := v.PayloadHex.Bytes(t)
			var decoded map[string]any
			checkErr, decodeErr := codec.Check(payload), codec.Decode(payload, &decoded)
			assert.Equal(t, formats[v.Format], codec.FormatOf(payload))
			if v.Status == "OK" {
				require.NoError(t, checkErr)
				require.NoError(t, decodeErr)
				return
			}
			require.ErrorIs(t, checkErr, codec.ErrPayload)
			require.ErrorIs(t, decodeErr, codec.ErrPayload)
			assert.Contains(t, strings.ToLower(checkErr.Error()), strings.ToLower(v.Reason))
		})
	}
}

// TestTheRFCsExamplesAreTypedRightly asks another implementation: an item that was
// mistyped could be refused for the wrong reason.
func TestTheRFCsExamplesAreTypedRightly(t *testing.T) {
	inMap := []byte{0xa1, 0x61, 'a'}
	wellFormed, notWellFormed := 0, 0
	for _, v := range vectors.Load[vectors.Payload](t, "cbor_rfc8949.json") {
		item, wrapped := bytes.CutPrefix(v.PayloadHex.Bytes(t), inMap)
		require.True(t, wrapped, v.ID)
		err := cbor.Wellformed(item)
		if strings.HasPrefix(v.ID, "appendix_a_") {
			wellFormed++
			assert.NoError(t, err, v.ID)
		} else {
			notWellFormed++
			assert.Error(t, err, v.ID)
			assert.Error(t, codec.Check(item), v.ID)
		}
	}
	assert.Equal(t, 81, wellFormed, "the examples of Appendix A")
	assert.Equal(t, 94, notWellFormed, "the examples of Appendix F.1")
}
