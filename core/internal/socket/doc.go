// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

// Package socket is the room of libzmq: the only importer of zmq4, and of C
// below capi. A publisher's events enter in publisher.go and leave by send.c; the
// proxy, which speaks ZMTP itself, takes them in by side.c and moves them on in forward.c
// and outbound.c; a subscriber's arrive by take.c and are sorted by sort.c, in a block
// that block.go opens to the core.
//
// A socket is not safe for concurrent use, and two threads inside one end the
// process: every call on a Publisher or Subscriber is made under the lock of the
// core object that owns it, and the end's lock with it (end.h), which callers in C take
// who do the usual thing past Go (direct.h). Waiting needs neither: it happens on the
// Ready.
package socket
