// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package endpoint_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core/internal/endpoint"
)

func TestURIsThatConnect(t *testing.T) {
	for _, uri := range []string{
		"tcp://127.0.0.1:5122", "tcp://juice-task_manager:5122", "tcp://[::1]:5122",
		"tcp://not-there-yet.lab.example:1", "ipc:///run/juice/pub", "ipc://relative",
	} {
		assert.NoError(t, endpoint.Check(uri, false), uri)
		assert.NoError(t, endpoint.Check(uri, true), uri)
	}
}

func TestURIsThatOnlyBind(t *testing.T) {
	for _, uri := range []string{"tcp://*:5122", "tcp://127.0.0.1:0", "tcp://127.0.0.1:*", "tcp://*:*"} {
		assert.NoError(t, endpoint.Check(uri, true), uri)
		assert.ErrorIs(t, endpoint.Check(uri, false), endpoint.ErrURI, uri)
	}
}

func TestBadURIIsNamed(t *testing.T) {
	for _, uri := range []string{
		"", "127.0.0.1:5122", "tcp:/127.0.0.1:5122", "http://127.0.0.1:5122", "inproc://a", "tcp://127.0.0.1",
		"tcp://:5122", "tcp://127.0.0.1:", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:http",
		"tcp://a b:5122", "tcp://a/b:5122", "tcp://[::1:5122", "ipc://", "ipc://" + strings.Repeat("a", 108),
		"tcp://127.0.0.1:5122\x00", "tcp://-a:5122", "tcp://é:5122",
	} {
		err := endpoint.Check(uri, true)
		require.ErrorIs(t, err, endpoint.ErrURI, uri)
		if uri != "" && !strings.Contains(uri, "\x00") && !strings.Contains(uri, "é") {
			assert.Contains(t, err.Error(), uri)
		}
	}
}
