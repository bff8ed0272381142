// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/juicebus/juicebus/core"
)

const freePorts = "tcp://127.0.0.1:0"

// start runs the proxy in this process and returns its two addresses.
func start(t *testing.T, args ...string) (pub, sub string, stop func() int) {
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() { code <- run(ctx, args, in, io.Discard) }()
	reader := bufio.NewReader(out)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	addresses := regexp.MustCompile(`^ready pub=(\S+) sub=(\S+)\n$`).FindStringSubmatch(line)
	require.Len(t, addresses, 3, line)
	return addresses[1], addresses[2], func() int {
		cancel()
		last, err := reader.ReadString('\n')
		require.NoError(t, err)
		assert.Regexp(t, `^stopped events=\d+ bytes=\d+ refused=\d+ cut_off=\d+\n$`, last)
		return <-code
	}
}

func TestReadyLineHasTheRealAddresses(t *testing.T) {
	pub, sub, stop := start(t, "--pub", freePorts, "--sub", freePorts)
	assert.Regexp(t, `^tcp://127\.0\.0\.1:[1-9]\d+$`, pub)
	publisher, err := core.NewPublisher(pub)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, publisher.WaitConnected(ctx))
	require.NoError(t, publisher.Close(ctx))
	assert.NotEqual(t, pub, sub)
	assert.Zero(t, stop())
}

func TestTakenPortIsOneLineAndExitCode1(t *testing.T) {
	pub, _, stop := start(t, "--pub", freePorts, "--sub", freePorts)
	defer stop()
	var errs bytes.Buffer
	assert.Equal(t, 1, run(t.Context(), []string{"--pub", pub, "--sub", freePorts}, io.Discard, &errs))
	assert.Equal(t, "juicebus-proxy: juicebus: open proxy: listen at "+pub+": address already in use\n", errs.String())
}

func TestWrongCommandLineIsExitCode2(t *testing.T) {
	for _, args := range [][]string{{"--nonsense"}, {"extra"}, {"--hold", "5"}} {
		var errs bytes.Buffer
		assert.Equal(t, 2, run(t.Context(), args, io.Discard, &errs), args)
		assert.NotEmpty(t, errs.String(), args)
	}
}

func TestHelpNamesEveryFlagOnStandardOutput(t *testing.T) {
	var out bytes.Buffer
	assert.Zero(t, run(t.Context(), []string{"--help"}, &out, io.Discard))
	for _, flag := range []string{"-pub", "-sub", "-hold", "-max-bytes", "-max-subscriptions", "-max-event-bytes", "-max-keys", "-version"} {
		assert.Contains(t, out.String(), "  "+flag)
	}
}

func TestVersionIsTheCores(t *testing.T) {
	var out bytes.Buffer
	assert.Zero(t, run(t.Context(), []string{"--version"}, &out, io.Discard))
	assert.Equal(t, "juicebus-proxy "+core.Version+"\n", out.String())
}

func TestSignalsEndTheProcessCleanly(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "juicebus-proxy")
	output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(output))
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := t.TempDir()
		command := exec.Command(binary, "--pub", "ipc://"+dir+"/pub", "--sub", "ipc://"+dir+"/sub")
		out, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "ready pub=ipc://"+dir+"/pub sub=ipc://"+dir+"/sub\n", line)
		require.NoError(t, out.Close(), "nobody reads its last line")
		require.NoError(t, command.Process.Signal(signal))
		assert.NoError(t, command.Wait(), signal.String())
	}
}
