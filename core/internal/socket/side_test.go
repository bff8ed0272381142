// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const deadline = 20 * time.Second

// handshakeBytes is what a proxy sends before it knows who a peer is: a greeting, and READY.
const handshakeBytes = 64 + 28

// raw is a peer over a plain connection.
type raw struct{ net.Conn }

func connect(t *testing.T, uri string) raw {
	t.Helper()
	network, address, _ := strings.Cut(uri, "://")
	if network == "ipc" {
		network = "unix"
	}
	conn, err := net.Dial(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(deadline)))
	return raw{conn}
}

var greeting = append(append([]byte("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL"), make([]byte, 16)...), make([]byte, 32)...)

// peerOf is a peer that has made its handshake.
func peerOf(t *testing.T, uri, kind string) raw {
	t.Helper()
	r := connect(t, uri)
	r.say(t, greeting)
	r.say(t, frame(4, []byte("\x05READY\x0bSocket-Type\x00\x00\x00"+string(rune(len(kind)))+kind)))
	r.hear(t, handshakeBytes+1) // more than it sends to anybody
	return r
}

func (r raw) say(t *testing.T, data []byte) {
	t.Helper()
	_, err := r.Write(data)
	require.NoError(t, err)
}

func (r raw) hear(t *testing.T, bytes int) {
	t.Helper()
	_, err := io.ReadFull(r, make([]byte, bytes))
	require.NoError(t, err)
}

// isOver tells whether the other side ends the connection.
func (r raw) isOver(t *testing.T) bool {
	t.Helper()
	_, err := io.Copy(io.Discard, r)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// isThere tells whether the other side has not ended the connection.
func (r raw) isThere(t *testing.T) bool {
	t.Helper()
	conn, err := r.Conn.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	var there bool
	require.NoError(t, conn.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		there = n > 0 || errors.Is(err, syscall.EAGAIN)
	}))
	return there
}

// sayUntilCut says the same over and over, and returns how many bytes went.
func (r raw) sayUntilCut(t *testing.T, data []byte) (sent int) {
	t.Helper()
	for {
		n, err := r.Write(data)
		sent += n
		if err != nil {
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "nobody ends it after %d bytes", sent)
			return sent
		}
	}
}

// frame is a frame with flags: 1 for more to come, 4 for a command.
func frame(flags byte, body []byte) []byte {
	if len(body) < 256 {
		return append([]byte{flags, byte(len(body))}, body...)
	}
	return append(binary.BigEndian.AppendUint64([]byte{flags | 2}, uint64(len(body))), body...)
}

const anyPort = "tcp://127.0.0.1:0"

// endless are frames of messages that do not end.
var endless = map[string][]byte{
	"large frames": frame(1, make([]byte, 1<<20)),
	"small frames": []byte(strings.Repeat(string(frame(1, make([]byte, 100))), 1000)),
	"empty frames": []byte(strings.Repeat(string(frame(1, nil)), 10_000)),
}

const eventLimit = 1 << 20

// pass is a Forwarder, and what it has done so far.
type pass struct {
	*Forwarder
	pubURI, subURI  string
	events, refused uint64
	heard           []string
	asked           int
	keys            map[string]uint64 // bytes
	peak            int64             // of what waited
}

func openPass(t testing.TB, uri string) *pass {
	t.Helper()
	return openPassWithin(t, uri, 64<<20)
}

func openPassWithin(t testing.TB, uri string, maxBytes int64) *pass {
	t.Helper()
	f, err := OpenForwarder(uri, anyPort, ForwarderOptions{
		MaxEventBytes: eventLimit, MaxBytes: maxBytes, Welcome: []byte("\xffwelcome"), Filters: 100,
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
			p.heard = append(p.heard, fmt.Sprint(heard.Kind, " ", string(heard.Key)))
		}
		p.peak = max(p.peak, p.waitingBytes())
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

func TestFloodOfHeartbeatsIsNotAnsweredAsAWhole(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	r.hear(t, len("\x00\x01\x01\x00\x0b\x01\xffannounced")-1) // the first is heard already
	r.say(t, append(bytes.Repeat(frame(4, []byte("\x04PING\x00\x00")), 2000), event("A.", nil)...))
	p.serve(t, false, func() bool { return p.events == 1 })
	require.NoError(t, r.Conn.(*net.TCPConn).CloseWrite())
	var answers []byte
	p.meanwhile(t, func() {
		var err error
		answers, err = io.ReadAll(r)
		assert.NoError(t, err)
	})
	assert.Less(t, len(answers), 500*len("\x04\x05\x04PONG"))
	assert.NotEmpty(t, answers)
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
			assert.Equal(t, []string{NoPublisher}, p.hasCut(t, 1))
		})
	}
}

func TestPublisherThatBreaksALimitIsCut(t *testing.T) {
	for name, bad := range map[string]struct {
		said   []byte
		reason string
	}{
		"frame over the limit":  {binary.BigEndian.AppendUint64([]byte{2}, refusedBytes+1), TooLargeFrame},
		"frame of 2^64-1 bytes": {[]byte("\x02\xff\xff\xff\xff\xff\xff\xff\xff"), TooLargeFrame},
		"READY again":           {frame(4, []byte("\x05READY")), NoPublisher},
		"PING without a time":   {frame(4, []byte("\x04PING")), NoPublisher},
		"PING of 17 bytes":      {frame(4, append([]byte("\x04PING\x00\x00"), make([]byte, 17)...)), NoPublisher},
		"command of 5,000":      {frame(4, make([]byte, 5000)), NoPublisher},
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
	over := make([]byte, eventLimit/2+1)
	r.say(t, event("Good.", make([]byte, eventLimit-5)))
	p.meanwhile(t, func() {
		r.say(t, append(append(frame(1, []byte("Bad.")), frame(1, over)...), frame(0, over)...))
		r.say(t, append(frame(1, []byte("Tiny.")), append(bytes.Repeat(frame(1, nil), 18_000), frame(0, nil)...)...))
		r.say(t, event("Good.", nil))
	})
	p.serve(t, false, func() bool { return p.events == 2 })
	assert.EqualValues(t, 2, p.refused)
	assert.Zero(t, p.CutOff())
}

func TestFrameOverASmallLimitIsRefusedAndItsPublisherStays(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	p.meanwhile(t, func() {
		r.say(t, event("Bad.", make([]byte, 20*eventLimit)))
		r.say(t, event("Good.", nil))
	})
	p.serve(t, false, func() bool { return p.events == 1 })
	assert.EqualValues(t, 1, p.refused)
	assert.Zero(t, p.CutOff())
}

func TestMessageUnderTheLimitMayTakeItsTime(t *testing.T) {
	p := openPass(t, anyPort)
	slow, busy := p.publisher(t), p.publisher(t)
	whole := event("Slow.", make([]byte, eventLimit/2))
	slow.say(t, whole[:len(whole)/2])
	p.meanwhile(t, func() {
		for range 50 {
			busy.say(t, event("Busy.", make([]byte, eventLimit/10)))
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
	last, err := syscall.Dup(0)
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
		fd, err := syscall.Dup(0)
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

// A libzmq socket with a bound on what it reads ends the process here, see side.h.
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
			one := event("A.", make([]byte, eventLimit-2))
			for range 300 {
				r.say(t, one)
			}
		}()
		part := make([]byte, eventLimit)
		for range 300 {
			_, err := io.ReadFull(subscriber, part)
			assert.NoError(t, err)
		}
	})
	assert.Zero(t, p.CutOff())
	assert.Less(t, p.peak, p.maxBytes/2) // an eighth, and what a machine under load lets through
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
		limit := uint64(refusedBytes)
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
func FuzzSide(f *testing.F) {
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

func (p *pass) subscriber(t *testing.T, filters ...string) (r raw) {
	t.Helper()
	p.meanwhile(t, func() {
		r = peerOf(t, p.subURI, "SUB")
		r.hear(t, len("\x00\x08\xffwelcome")-1) // the first is heard already
	})
	for _, filter := range filters {
		r.say(t, frame(0, []byte("\x01"+filter)))
	}
	p.isLive(t, r)
	return r
}

// isLive waits until all that a subscriber has said is taken in.
func (p *pass) isLive(t *testing.T, r raw) {
	t.Helper()
	p.asked++
	key := fmt.Sprint("\xffr", p.asked)
	r.say(t, frame(0, []byte("\x01"+key)))
	p.serve(t, false, func() bool {
		return len(p.heard) > 0 && p.heard[len(p.heard)-1] == fmt.Sprint(Subscribed, " ", key)
	})
}

// gets reads so much while the proxy is served.
func (p *pass) gets(t *testing.T, r raw, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	p.meanwhile(t, func() {
		_, err := io.ReadFull(r, got)
		assert.NoError(t, err)
	})
	require.Equal(t, want, got)
}

func TestSubscribersGetWhatTheyHaveAskedForInOrder(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	all, some, both := p.subscriber(t, ""), p.subscriber(t, "A.x.", "B."), p.subscriber(t, "A.", "A.x.")
	none := p.subscriber(t, "A.y.", "A.x.long.")
	a, x, b := event("A.", []byte("{}")), event("A.x.", make([]byte, 300)), event("B.", make([]byte, 100_000))
	for range 3 {
		r.say(t, bytes.Join([][]byte{a, x, b, x}, nil))
		p.gets(t, all, bytes.Join([][]byte{a, x, b, x}, nil))
		p.gets(t, some, bytes.Join([][]byte{x, b, x}, nil))
		p.gets(t, both, bytes.Join([][]byte{a, x, x}, nil))
	}
	p.Tell([]byte("\xffx"), []byte("not for those who want all events"))
	p.Tell([]byte("A.y."), []byte("at last"))
	p.gets(t, none, event("A.y.", []byte("at last")))
	p.gets(t, all, event("A.y.", []byte("at last")))
}

// wordBelow is a key or a filter of fewer than so many bytes, like many others.
func wordBelow(random *rand.Rand, size int) string {
	word := make([]byte, random.IntN(size))
	for i := range word {
		word[i] = "ab."[random.IntN(3)]
	}
	return string(word)
}

func TestFiltersThatComeAndGoAtRandomLetThroughWhatTheyShould(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string { return wordBelow(random, 6) }
	p := openPass(t, anyPort)
	r := p.publisher(t)
	subscribers := []raw{p.subscriber(t), p.subscriber(t), p.subscriber(t)}
	filters := []map[string]bool{{}, {}, {}}
	for range 20 {
		for range 200 {
			i, filter, on := random.IntN(3), word(), random.IntN(2)
			if on == 1 && len(filters[i]) == 50 {
				continue
			}
			subscribers[i].say(t, frame(0, append([]byte{byte(on)}, filter...)))
			if filters[i][filter] = true; on == 0 {
				delete(filters[i], filter)
			}
		}
		for _, s := range subscribers {
			p.isLive(t, s)
		}
		want := make([][]byte, 3)
		for range 50 {
			key := word()
			r.say(t, event(key, nil))
			for i := range filters {
				for filter := range filters[i] {
					if strings.HasPrefix(key, filter) {
						want[i] = append(want[i], event(key, nil)...)
						break
					}
				}
			}
		}
		for i, s := range subscribers {
			p.gets(t, s, want[i])
		}
	}
}

func TestFilterIsGivenUpByWhoHadItAlone(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	one, other := p.subscriber(t, "A.", "B."), p.subscriber(t, "A.")
	one.say(t, frame(0, []byte("\x00A.")))
	one.say(t, frame(0, []byte("\x00never")))
	p.isLive(t, one)
	r.say(t, append(event("A.", nil), event("B.", nil)...))
	p.gets(t, one, event("B.", nil))
	p.gets(t, other, event("A.", nil))
}

func TestReservedKeysAreToldAndThoseOfWhoGoesAreGivenUp(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.subscriber(t, "A.", "\xffc")
	r.say(t, frame(0, []byte("\x01\xffc"))) // once is enough
	r.say(t, frame(0, []byte("\x01\xffd")))
	r.say(t, frame(0, []byte("\x00\xffd")))
	r.say(t, frame(0, []byte("\x00\xffnever")))
	p.isLive(t, r)
	assert.Equal(t, []string{"1 \xffc", "1 \xffr1", "1 \xffd", "0 \xffd", "1 \xffr2"}, p.heard)
	p.heard = nil
	require.NoError(t, r.Close())
	p.serve(t, false, func() bool { return len(p.heard) == 3 })
	assert.ElementsMatch(t, []string{"0 \xffc", "0 \xffr1", "0 \xffr2"}, p.heard)
}

func TestSubscriberWithTooManySubscriptionsIsCut(t *testing.T) {
	for name, filters := range map[string][]byte{
		"in number": bytes.Join(func() (all [][]byte) {
			for i := range 101 {
				all = append(all, frame(0, fmt.Appendf(nil, "\x01A.%d.", i)), frame(0, fmt.Appendf(nil, "\x00B.%d.", i)))
			}
			return all
		}(), nil),
		"in bytes": bytes.Join(func() (all [][]byte) {
			for i := range 7 {
				all = append(all, frame(0, fmt.Appendf(nil, "\x01%01000d", i)))
			}
			return all
		}(), nil),
	} {
		t.Run(name, func(t *testing.T) {
			p := openPass(t, anyPort)
			good, bad := p.subscriber(t, "A."), p.subscriber(t)
			bad.say(t, filters)
			assert.Equal(t, []string{TooManySubscriptions}, p.hasCut(t, 1))
			assert.True(t, bad.isOver(t))
			assert.True(t, good.isThere(t))
		})
	}
}

func TestFiltersThatComeAndGoOrComeTwiceAreNotTooMany(t *testing.T) {
	p := openPass(t, anyPort)
	good := p.subscriber(t, "Kept.")
	for i := range 200 {
		good.say(t, frame(0, []byte("\x01Kept.")))
		good.say(t, frame(0, fmt.Appendf(nil, "\x01A.%d.", i)))
		good.say(t, frame(0, fmt.Appendf(nil, "\x00A.%d.", i)))
	}
	p.isLive(t, good)
	assert.Zero(t, p.CutOff())
}

func TestSubscriberWhoseMessageDoesNotEndIsCut(t *testing.T) {
	for name, frames := range endless {
		t.Run(name, func(t *testing.T) {
			p := openPass(t, anyPort)
			bad := p.subscriber(t)
			p.meanwhile(t, func() { bad.sayUntilCut(t, frames) })
			assert.Len(t, p.hasCut(t, 1), 1)
		})
	}
}

// waits fills a subscriber's connection until so much waits in the proxy.
func (p *pass) waits(t *testing.T, from raw, one []byte, least int64) {
	t.Helper()
	p.serve(t, false, func() bool {
		if p.waitingBytes() >= least {
			return true
		}
		from.say(t, one)
		return false
	})
}

func TestFrozenSubscriberIsCutAndOneThatReadsIsNot(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	frozen, reading := p.subscriber(t, "A."), p.subscriber(t, "A.")
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = io.Copy(io.Discard, reading)
	}()
	one := event("A.", make([]byte, 100_000))
	go func() {
		for err := error(nil); err == nil; {
			_, err = r.Write(one)
		}
	}()
	assert.Equal(t, []string{Frozen}, p.hasCut(t, 1))
	assert.True(t, frozen.isOver(t))
	select {
	case <-over:
		t.Error("the one that reads is cut off")
	default:
	}
}

func TestWhatWaitsIsDeliveredWholeWhenItIsReadAgain(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	// One of many keys: what waits for it must not keep what others have had.
	asleep, awake := p.subscriber(t, "A."), p.subscriber(t, "")
	go func() { _, _ = io.Copy(io.Discard, awake) }()
	p.waits(t, r, event("A.", make([]byte, 60_000)), 1)
	var want []byte
	before, count := p.keys["A."], 0
	for p.waitingBytes() < 4<<20 && count < 20_000 {
		a := event("A.", fmt.Append(nil, count))
		want = append(want, a...)
		r.say(t, append(a, bytes.Repeat(event("B.", make([]byte, 200)), 20)...))
		count++
		_, err := p.Forward(0, false)
		require.NoError(t, err)
	}
	assert.Equal(t, 20_000, count, "%d bytes wait", p.waitingBytes())
	large := make([]byte, before/60_002*uint64(len(event("A.", make([]byte, 60_000)))))
	p.meanwhile(t, func() {
		_, err := io.ReadFull(asleep, large)
		assert.NoError(t, err)
	})
	p.gets(t, asleep, want)
}

func TestManySubscribersOfOneEventShareItsMemory(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	for range 20 {
		p.subscriber(t, "A.")
	}
	p.waits(t, r, event("A.", make([]byte, 100_000)), 1)
	before, events := p.waitingBytes(), p.events
	r.say(t, bytes.Repeat(event("A.", make([]byte, 100_000)), 10))
	p.serve(t, false, func() bool { return p.events >= events+10 })
	assert.Less(t, p.waitingBytes()-before, int64(2<<20))
}

// It is written behind what waits, or not at all: never into an event.
func TestHeartbeatOfASubscriberThatDoesNotReadIsNoPartOfItsEvents(t *testing.T) {
	p := openPass(t, anyPort)
	r, sleeper := p.publisher(t), p.subscriber(t, "A.")
	one := event("A.", make([]byte, 999_999))
	p.waits(t, r, one, 1)
	ping := frame(4, []byte("\x04PING\x00\x00"))
	for range 10 {
		sleeper.say(t, ping)
		p.isLive(t, sleeper)
	}
	for range int(p.events) {
		p.gets(t, sleeper, one)
	}
	sleeper.say(t, ping)
	p.gets(t, sleeper, frame(4, []byte("\x04PONG")))
}

// Its answer finds nobody, and on a Unix domain socket it is told at once.
func TestPublisherThatLeavesBehindAHeartbeatLosesNothing(t *testing.T) {
	for _, uri := range []string{anyPort, "ipc://" + filepath.Join(t.TempDir(), "pub")} {
		t.Run(uri[:3], func(t *testing.T) {
			p := openPass(t, uri)
			r := p.publisher(t)
			ping := frame(4, []byte("\x04PING\x00\x00"))
			for range 10 {
				r.say(t, append(bytes.Clone(ping), event("A.", make([]byte, 5_000))...))
			}
			require.NoError(t, r.Close())
			p.serve(t, false, func() bool { return p.events == 10 })
		})
	}
}

// Cutting off one of them frees nothing, as they share what waits for them.
func TestManySlowSubscribersHoldTheOthersUpNoLongerThanOne(t *testing.T) {
	p := openPass(t, anyPort)
	r := p.publisher(t)
	good := p.subscriber(t, "A.")
	for range 8 {
		slow := p.subscriber(t, "A.")
		go func() {
			for part := make([]byte, 20_000); ; time.Sleep(20 * time.Millisecond) {
				if _, err := io.ReadFull(slow, part); err != nil {
					return
				}
			}
		}()
	}
	go func() {
		one := event("A.", make([]byte, 100_000))
		for err := error(nil); err == nil; {
			_, err = r.Write(one)
		}
	}()
	go func() { _, _ = io.Copy(io.Discard, good) }()
	var first time.Time
	p.serve(t, false, func() bool {
		if first.IsZero() && p.CutOff() > 0 {
			first = time.Now()
		}
		return p.CutOff() >= 8
	})
	assert.Less(t, time.Since(first), 3*time.Second, "one after the other, it would be 7 s")
	assert.True(t, good.isThere(t))
}

func TestUnfinishedMessagesDoNotTakeTheMemoryTogether(t *testing.T) {
	p := openPassWithin(t, anyPort, 3*eventLimit) // and one event: what may be unfinished
	for range 6 {
		p.publisher(t).say(t, event("A.", make([]byte, eventLimit-2))[:eventLimit-1000])
	}
	// One that goes on stays, however slow.
	slow := p.publisher(t)
	whole := event("B.", make([]byte, eventLimit-2))
	p.meanwhile(t, func() {
		for rest := whole; len(rest) > 0; rest = rest[min(100_000, len(rest)):] {
			slow.say(t, rest[:min(100_000, len(rest))])
			time.Sleep(250 * time.Millisecond)
		}
	})
	p.serve(t, false, func() bool { return p.events == 1 })
	assert.Equal(t, []string{Unfinished}, p.hasCut(t, 2))
	assert.LessOrEqual(t, p.CutOff(), uint64(4))
}
