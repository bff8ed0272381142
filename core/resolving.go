// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/juicebus/juicebus/core/internal/endpoint"
)

// resolveInterval is how often the resolver is asked while there is no connection.
const resolveInterval = 2 * time.Second

// resolving finds out whether a host name is why there is no connection: libzmq
// does not tell. It asks on a goroutine of its own, as the resolver may take long.
type resolving struct {
	next    time.Time
	failure atomic.Pointer[string]
}

// try asks again if it is time to.
func (r *resolving) try(uri string) {
	host := endpoint.Host(uri)
	if host == "" || host == "*" || net.ParseIP(host) != nil || time.Now().Before(r.next) {
		return
	}
	r.next = time.Now().Add(resolveInterval)
	go func() {
		var err error
		defer Recover(&err)
		ctx, cancel := context.WithTimeout(context.Background(), resolveInterval)
		defer cancel()
		var failed *net.DNSError
		if _, err = net.DefaultResolver.LookupHost(ctx, host); errors.As(err, &failed) {
			reason := fmt.Sprintf("the host %q does not resolve", host)
			r.failure.Store(&reason)
		} else {
			r.failure.Store(nil)
		}
	}()
}
