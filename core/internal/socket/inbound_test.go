// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const inboundLimit = 1 << 20

// pass is a Forwarder, and what it has done so far.
type pass struct {
	*Forwarder
	pubURI, subURI  string
	events, refused uint64
	flushes         []string
	keys            map[string]uint64 // bytes
	peak            int64             // of what waited
}

func openPass(t testing.TB, uri string) *pass {
	t.Helper()
	f, err := OpenForwarder(uri, anyPort, ForwarderOptions{
		MaxEventBytes: inboundLimit, MaxBytes: 64 << 20, Welcome: []byte("\xffwelcome"), Filters: 100,
		OnPanic:  func(value any) { t.Errorf("panic: %v", value) },
		Announce: func(string, string) []byte { return []byte("\xffannounced") },
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	p := &pass{Forwarder: f, keys: map[string]uint64{}}
	p.pubURI, p.subURI = f.Addresses()
	return p
}

// serve forwards until something is so.
func (p *pass) serve(t testing.TB, hold bool, done func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !done(); {
		require.True(t, time.Now().Before(end), "%d events, %d refused, %d cut off", p.events, p.refused, p.CutOff())
		batch, err := p.Forward(time.Millisecond, hold)
		require.NoError(t, err)
		p.events += batch.Events
		p.refused += batch.Refused
		for _, tally := range batch.Tallies {
			p.keys[string(tally.Key)] += tally.Bytes
		}
		for _, heard := range batch.Heard {
			if heard.Kind == FlushAsked {
				p.flushes = append(p.flushes, string(heard.Key))
			}
		}
		p.peak = max(p.peak, p.waiting.Bytes())
	}
}

// meanwhile serves while something else goes on.
func (p *pass) meanwhile(t testing.TB, do func()) {
	t.Helper()
	var over atomic.Bool
	go func() {
		defer over.Store(true)
		do()
	}()
	p.serve(t, false, over.Load)
}

func (p *pass) publisher(t *testing.T) (r raw) {
	t.Helper()
	p.meanwhile(t, func() { r = peerOf(t, p.pubURI, "XPUB") })
	return r
}

// hasCut serves until so many are cut off, and returns why.
func (p *pass) hasCut(t *testing.T, count uint64) (reasons []string) {
	t.Helper()
	p.serve(t, false, func() bool { return p.CutOff() >= count })
	for _, c := range p.CutOffs() {
		reasons = append(reasons, c.Reason)
	}
	return reasons
}

func event(key string, payload []byte) []byte {
	return append(frame(1, []byte(key)), frame(0, payload)...)
}

func TestPublisherIsSentBothSubscriptionsBehindTheHandshake(t *testing.T) {
	for _, uri := range []string{anyPort, "ipc://" + filepath.Join(t.TempDir(), "pub")} {
		p := openPass(t, uri)
		ready := frame(4, []byte("\x05READY\x0bSocket-Type\x00\x00\x00\x04XSUB"))
		r := connect(t, p.pubURI)
		r.say(t, greeting)
		r.say(t, frame(4, []byte("\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB\x08Identity\x00\x00\x00\x00")))
		sent := make([]byte, 64+len(ready)+3+len("\x00\x0b\x01\xffannounced"))
		p.meanwhile(t, func() {
			_, err := io.ReadFull(r, sent)
			assert.NoError(t, err)
		})
		assert.Equal(t, "\xff\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x03\x00NULL", string(sent[:16]))
		assert.Equal(t, string(ready)+"\x00\x01\x01"+"\x00\x0b\x01\xffannounced", string(sent[64:]))
	}
}

func TestEventsArriveWhereverTheirBytesAreCut(t *testing.T) {
	stream := bytes.Join([][]byte{
		event("A.", []byte("{}")), frame(4, []byte("\x05OTHER")), event("A.b.", make([]byte, 300)), frame(0, []byte("Bare.")),
		append(frame(1, []byte("Many.")), bytes.Repeat(frame(1, []byte("x")), 50)...), frame(0, nil),
		event("Large.", make([]byte, 20_000)),
	}, nil)
	want := map[string]uint64{"A.": 4, "A.b.": 304, "Bare.": 5, "Many.": 55, "Large.": 20_006}
	for _, size := range []int{1, 2, 3, 7, 64, 4095, 4097, len(stream)} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			p := openPass(t, anyPort)
			r := p.publisher(t)
			require.NoError(t, r.Conn.(*net.TCPConn).SetNoDelay(true))
			p.meanwhile(t, func() {
				for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
					r.say(t, rest[:min(size, len(rest))])
				}
			})
			p.serve(t, false, func() bool { return p.events == 5 })
			assert.Equal(t, want, p.keys)
			assert.Zero(t, p.refused)
		})
	}
}

func TestHeartbeatOfAPublisherIsAnsweredWithItsContext(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	r.say(t, frame(4, []byte("\x04PING\x00\x0acontext")))
	answer := make([]byte, 2+5+len("context"))
	p.meanwhile(t, func() {
		r.hear(t, len("\x00\x01\x01\x00\x0b\x01\xffannounced")-1) // the first is heard already
		_, err := io.ReadFull(r, answer)
		assert.NoError(t, err)
	})
	assert.Equal(t, string(frame(4, []byte("\x04PONGcontext"))), string(answer))
}

func TestOldestPublisherWithoutHandshakeIsCutForANewOne(t *testing.T) {
	p := openPass(t, anyPort)
	good := p.publisher(t)
	var silent []raw
	for range maxHandshakes + 2 {
		silent = append(silent, connect(t, p.pubURI))
	}
	assert.Equal(t, []string{TooManyHandshakes}, p.hasCut(t, 2))
	assert.True(t, silent[0].isOver(t) && silent[1].isOver(t))
	assert.True(t, silent[2].isThere(t) && silent[len(silent)-1].isThere(t))
	assert.True(t, good.isThere(t))
}

func TestWhoIsNoPublisherIsCut(t *testing.T) {
	for name, said := range map[string][]byte{
		"subscriber":    append(bytes.Clone(greeting), frame(4, []byte("\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"))...),
		"version 2":     append([]byte("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x01"), make([]byte, 60)...),
		"HTTP":          []byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: something that has a long name\r\n\r\n"),
		"no command":    append(bytes.Clone(greeting), frame(0, []byte("x"))...),
		"reserved flag": append(bytes.Clone(greeting), 0x84, 5),
	} {
		t.Run(name, func(t *testing.T) {
			p := openPass(t, anyPort)
			connect(t, p.pubURI).say(t, said)
			assert.Equal(t, []string{BreaksProtocol}, p.hasCut(t, 1))
		})
	}
}

func TestPublisherThatBreaksALimitIsCut(t *testing.T) {
	for name, bad := range map[string]struct {
		said   []byte
		reason string
	}{
		"frame over the limit":  {frame(0, make([]byte, inboundLimit+1))[:9], TooLargeFrame},
		"frame of 2^64-1 bytes": {[]byte("\x02\xff\xff\xff\xff\xff\xff\xff\xff"), TooLargeFrame},
		"READY again":           {frame(4, []byte("\x05READY")), BreaksProtocol},
		"PING without a time":   {frame(4, []byte("\x04PING")), BreaksProtocol},
		"PING of 17 bytes":      {frame(4, append([]byte("\x04PING\x00\x00"), make([]byte, 17)...)), BreaksProtocol},
		"command of 5,000":      {frame(4, make([]byte, 5000)), TooLargeFrame},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPass(t, anyPort)
			good, r := p.publisher(t), p.publisher(t)
			r.say(t, append(event("A.", nil), append(bad.said, event("B.", nil)...)...))
			assert.Equal(t, []string{bad.reason}, p.hasCut(t, 1))
			good.say(t, event("C.", nil))
			p.serve(t, false, func() bool { return p.keys["C."] > 0 })
			assert.Equal(t, map[string]uint64{"A.": 2, "C.": 2}, p.keys, "what it said before counts")
		})
	}
	for name, frames := range endless {
		t.Run("endless "+name, func(t *testing.T) {
			p := openPass(t, anyPort)
			r := p.publisher(t)
			p.meanwhile(t, func() { r.sayUntilCut(t, frames) })
			assert.Len(t, p.hasCut(t, 1), 1)
		})
	}
}

func TestMessageOverTheLimitThatEndsIsRefusedAndTheNextIsNot(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	over := make([]byte, inboundLimit/2+1)
	r.say(t, event("Good.", make([]byte, inboundLimit-5)))
	p.meanwhile(t, func() {
		r.say(t, append(append(frame(1, []byte("Bad.")), frame(1, over)...), frame(0, over)...))
		r.say(t, append(frame(1, []byte("Tiny.")), append(bytes.Repeat(frame(1, nil), 18_000), frame(0, nil)...)...))
		r.say(t, event("Good.", nil))
	})
	p.serve(t, false, func() bool { return p.events == 2 })
	assert.EqualValues(t, 2, p.refused)
	assert.Zero(t, p.CutOff())
}

func TestMessageUnderTheLimitMayTakeItsTime(t *testing.T) {
	p := openPass(t, anyPort)
	slow, busy := p.publisher(t), p.publisher(t)
	whole := event("Slow.", make([]byte, inboundLimit/2))
	slow.say(t, whole[:len(whole)/2])
	p.meanwhile(t, func() {
		for range 50 {
			busy.say(t, event("Busy.", make([]byte, inboundLimit/10)))
		}
	})
	p.serve(t, false, func() bool { return p.events == 50 })
	slow.say(t, whole[len(whole)/2:])
	p.serve(t, false, func() bool { return p.events == 51 })
	assert.Zero(t, p.CutOff())
}

func TestPublisherThatLeavesTooFewDescriptorsIsCut(t *testing.T) {
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	last, err := duplicateFD(0)
	require.NoError(t, err)
	few := syscall.Rlimit{Cur: uint64(last + reservedFDs + 30), Max: limit.Max}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few))
	p := openPass(t, anyPort)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	good := p.publisher(t)
	for fds := []int{last}; ; {
		if fds[len(fds)-1] > last+30 {
			break
		}
		fd, err := duplicateFD(0)
		require.NoError(t, err)
		defer func() { require.NoError(t, syscall.Close(fd)) }()
		fds = append(fds, fd)
	}
	require.NoError(t, syscall.Close(last))
	connect(t, p.pubURI)
	connect(t, p.pubURI)
	assert.Equal(t, []string{NoDescriptors}, p.hasCut(t, 1))
	assert.True(t, good.isThere(t))
}

func TestMoreKeysThanOneReportHoldsAreAllCounted(t *testing.T) {
	const count = 3*tallyCount + 7
	p := openPass(t, anyPort)
	r := p.publisher(t)
	var all []byte
	for i := range count {
		all = append(all, event(fmt.Sprintf("Key%d.", i), nil)...)
	}
	r.say(t, all)
	p.serve(t, false, func() bool { return p.events == count })
	assert.Len(t, p.keys, count)
}

func TestWhatIsHeldWaitsInTheNetworkAndHandshakesDoNot(t *testing.T) {
	p := openPass(t, anyPort)
	var r raw
	done := make(chan struct{})
	go func() {
		defer close(done)
		r = peerOf(t, p.pubURI, "XPUB")
		r.say(t, event("Held.", nil))
	}()
	p.serve(t, true, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	_, err := p.Forward(20*time.Millisecond, true)
	require.NoError(t, err)
	assert.Zero(t, p.events)
	require.NoError(t, r.Close())
	p.serve(t, false, func() bool { return p.events == 1 })
}

// A libzmq socket with a bound on what it reads ends the process here, see inbound.h.
func TestPublisherThatBreaksOffBehindManyEventsAndAHeartbeatHarmsNobody(t *testing.T) {
	p := openPass(t, anyPort)
	said := append(bytes.Repeat(event("A.", nil), 700), frame(4, []byte("\x04PING\x00\x00"))...)
	for range 50 {
		r := p.publisher(t)
		r.say(t, said)
		require.NoError(t, r.Conn.(*net.TCPConn).SetLinger(0))
		require.NoError(t, r.Close())
	}
	good := p.publisher(t)
	good.say(t, event("Good.", nil))
	p.serve(t, false, func() bool { return p.keys["Good."] > 0 })
}

func TestPublishersWaitForSubscribersThatRead(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	var subscriber raw
	p.meanwhile(t, func() {
		subscriber = peerOf(t, p.subURI, "SUB")
		subscriber.say(t, frame(0, []byte("\x01A.")))
	})
	p.meanwhile(t, func() {
		go func() {
			one := event("A.", make([]byte, inboundLimit-2))
			for range 300 {
				r.say(t, one)
			}
		}()
		part := make([]byte, inboundLimit)
		for range 300 {
			_, err := io.ReadFull(subscriber, part)
			assert.NoError(t, err)
		}
	})
	assert.Zero(t, p.CutOff())
	assert.Less(t, p.peak, p.maxBytes/pacedPart+4*inboundLimit)
}

// parsed is what a stream of frames is to a proxy: the bytes of each key that is
// forwarded, and whether the peer is cut off at its end.
func parsed(stream []byte) (keys map[string]uint64, refused uint64, broken bool) {
	keys = map[string]uint64{}
	var message [][]byte
	for len(stream) > 0 {
		flags := stream[0]
		if flags&0xf8 != 0 || flags&5 == 5 {
			return keys, refused, true
		}
		head := 2
		if flags&2 != 0 {
			head = 9
		}
		if len(stream) < head {
			return keys, refused, false
		}
		size := uint64(stream[1])
		if flags&2 != 0 {
			size = binary.BigEndian.Uint64(stream[1:])
		}
		limit := uint64(inboundLimit)
		if flags&4 != 0 {
			limit = 4096
		}
		if size > limit {
			return keys, refused, true
		}
		if uint64(len(stream)-head) < size {
			return keys, refused, false
		}
		body := stream[head : head+int(size)]
		stream = stream[head+int(size):]
		if flags&4 != 0 {
			if breaks(string(body)) {
				return keys, refused, true
			}
			continue
		}
		message = append(message, body)
		if flags&1 != 0 {
			continue
		}
		switch {
		case len(message[0]) > 0 && message[0][0] == 0xff && !(len(message[0]) == 18 && message[0][1] == 'f' && len(message) == 2 && len(message[1]) == 8):
			refused++
		case len(message[0]) > 0 && message[0][0] == 0xff: // a flush
		default:
			for _, frame := range message {
				keys[string(message[0])] += uint64(len(frame))
			}
		}
		message = nil
	}
	return keys, refused, false
}

func breaks(command string) bool {
	ping, isPing := strings.CutPrefix(command, "\x04PING")
	return strings.HasPrefix(command, "\x05READY") || strings.HasPrefix(command, "\x05ERROR") ||
		isPing && (len(ping) < 2 || len(ping) > 18)
}

// The seeds are what a good publisher says, and what breaks it.
func FuzzInbound(f *testing.F) {
	f.Add(event("A.b.", []byte("{}")), uint8(3))
	f.Add(append(frame(4, []byte("\x04PING\x00\x01ctx")), event("A.", make([]byte, 300))...), uint8(1))
	f.Add(append(frame(1, []byte("\xfff0123456789abcdef")), frame(0, make([]byte, 8))...), uint8(9))
	f.Add([]byte("\x01\x02A.\x03\x00\x00\x00\x00\x00\x00\x00\x05hello\x00\x00"), uint8(2))
	f.Add([]byte("\x02\x7f\xff\xff\xff\xff\xff\xff\xff"), uint8(4))
	f.Add([]byte("\x04\x05\x05READ\x04\x06\x05READY"), uint8(0))
	p := openPass(f, "ipc://"+filepath.Join(f.TempDir(), "pub"))
	f.Fuzz(func(t *testing.T, stream []byte, part uint8) {
		if len(stream) > 4000 {
			return
		}
		r := p.publisher(t)
		keys, refused, broken := parsed(stream)
		p.keys, p.refused = map[string]uint64{}, 0
		cut := p.CutOff()
		if broken {
			cut++
		}
		p.meanwhile(t, func() {
			for rest, size := stream, int(part)+1; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if _, err := r.Write(rest[:min(size, len(rest))]); err != nil {
					break // cut off already
				}
			}
		})
		p.meanwhile(t, func() {
			_ = r.Conn.(*net.UnixConn).CloseWrite()
			r.isOver(t)
		})
		require.Equal(t, keys, p.keys)
		require.Equal(t, refused, p.refused)
		require.Equal(t, cut, p.CutOff())
	})
}
