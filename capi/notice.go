// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package main

// #include "exports.h"
import "C"

import (
	"strings"

	"github.com/juicebus/juicebus/core"
)

// noticer is a handle whose connection can change.
type noticer interface {
	NextNotice() (core.Notice, bool)
	NoticeFD() (int, error)
}

func getNoticer(handle C.uint64_t) (noticer, error) {
	if kindOf(uint64(handle)) == publisherKind {
		return get[*core.Publisher](uint64(handle), publisherKind)
	}
	return get[*core.Subscriber](uint64(handle), subscriberKind)
}

//export gojb_next_notice
func gojb_next_notice(handle C.uint64_t, notice *C.juicebus_notice) (result C.int) {
	defer guard(&result)
	object, err := getNoticer(handle)
	if err != nil {
		return status(err)
	}
	n, ok := object.NextNotice()
	if !ok {
		return C.JUICEBUS_TIMEOUT
	}
	*notice = C.juicebus_notice{kind: C.int32_t(n.Kind), time_unix_ns: C.int64_t(n.Time.UnixNano())}
	// What does not fit is cut, and with it a character that would be halved.
	fits := strings.ToValidUTF8(n.Text[:min(len(n.Text), len(notice.text)-1)], "")
	return status(put(fits, &notice.text[0], C.size_t(len(notice.text))))
}

//export gojb_next_notice_fd
func gojb_next_notice_fd(handle C.uint64_t, fd *C.int) (result C.int) {
	defer guard(&result)
	object, err := getNoticer(handle)
	if err != nil {
		return status(err)
	}
	return duplicate(object.NoticeFD, fd)
}
