// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Command juicebus-proxy is the one place that a fleet's events pass: it forwards
// what publishers send to whoever subscribed to it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/juicebus/juicebus/core"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// Whoever started it may have read the ready line and gone.
	signal.Ignore(syscall.SIGPIPE)
	makeThreads()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it. It returns the exit code: 0 after
// ctx is over, 1 if it cannot listen or fails, 2 for a wrong command line.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	s, err := parse(args, out, errs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	proxy, err := core.NewProxy(s.pub, s.sub, core.Hold(s.hold),
		core.MaxBytes(s.maxBytes), core.MaxEventBytes(s.maxEventBytes), core.MaxKeys(s.maxKeys),
		core.MaxSubscriptions(s.maxSubscriptions))
	if err != nil {
		fmt.Fprintln(errs, "juicebus-proxy:", err)
		return 1
	}
	fmt.Fprintf(out, "ready pub=%s sub=%s\n", proxy.PubURI(), proxy.SubURI())
	running, stop := context.WithCancel(ctx)
	defer stop()
	go logCutOffs(running, proxy, errs)
	err = proxy.Run(ctx)
	if stats, statsErr := proxy.Stats(); statsErr == nil {
		fmt.Fprintf(out, "stopped events=%d bytes=%d refused=%d cut_off=%d\n",
			stats.Events, stats.Bytes, stats.Refused, stats.CutOff)
	}
	err = errors.Join(err, proxy.Close())
	if err != nil {
		fmt.Fprintln(errs, "juicebus-proxy:", err)
		return 1
	}
	return 0
}

// logCutOffs says whom the proxy has disconnected, and why, a line each second at most
// for each reason.
func logCutOffs(ctx context.Context, proxy *core.Proxy, errs io.Writer) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-proxy.CutOffNews():
		}
		select { // what else there is shares the line
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		for _, c := range proxy.CutOffs() {
			fmt.Fprintf(errs, "juicebus-proxy: cut off %d, the last at %q: %s\n", c.Count, c.Address, c.Reason)
		}
	}
}

type settings struct {
	pub, sub         string
	hold             time.Duration
	maxBytes         int64
	maxEventBytes    int64
	maxKeys          int
	maxSubscriptions int
}

const usage = `Usage: juicebus-proxy [flags]

Forwards the events of a Juice fleet: publishers connect to one address,
subscribers to the other. When it listens it prints one line,

    ready pub=URI sub=URI

with the real addresses, and runs until SIGTERM or SIGINT, which end it with one
line of counts and exit code 0,

    stopped events=N bytes=N refused=N cut_off=N

where cut_off are the peers that it had to disconnect. Exit code 1: it cannot
listen. It is open to whoever reaches its ports.

A URI is tcp://host:port (port 0: any free port; host *: every interface) or
ipc://path.

`

func parse(args []string, out, errs io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("juicebus-proxy", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.StringVar(&s.pub, "pub", "tcp://127.0.0.1:5122", "`URI` that publishers connect to")
	flags.StringVar(&s.sub, "sub", "tcp://127.0.0.1:5123", "`URI` that subscribers connect to")
	flags.DurationVar(&s.hold, "hold", core.DefaultHold,
		"for how long after its start it keeps what publishers send, so that\nsubscribers that reconnect a moment later miss nothing; 0: not at all")
	flags.Int64Var(&s.maxBytes, "max-bytes", core.DefaultMaxBytes,
		"`bytes` of memory that may wait for slow subscribers; beyond, those that do\nnot take what waits for them are cut off, and may connect again")
	flags.Int64Var(&s.maxEventBytes, "max-event-bytes", core.DefaultMaxEventBytes,
		"largest event, key and payload, in `bytes`; larger ones are refused")
	flags.IntVar(&s.maxSubscriptions, "max-subscriptions", core.DefaultMaxSubscriptions,
		"`filters` of one subscriber, of 64 bytes on average, who is cut off beyond;\neach counts twice")
	flags.IntVar(&s.maxKeys, "max-keys", core.DefaultMaxKeys, "`keys` whose counts are kept")
	version := flags.Bool("version", false, "print the version and exit")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		flags.SetOutput(out) // asked for, so no error
	}
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		err := fmt.Errorf("unexpected argument %q", flags.Arg(0))
		fmt.Fprintln(errs, "juicebus-proxy:", err)
		return s, err
	}
	if *version {
		fmt.Fprintln(out, "juicebus-proxy", core.Version)
		return s, flag.ErrHelp
	}
	return s, nil
}
