// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The juicebus authors

package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const deadline = 20 * time.Second

// side is a proxy's side for subscribers, with a goroutine that serves it as the proxy's
// does, unless it is held.
type side struct {
	*Peers
	uri  string
	mu   sync.Mutex // around the socket
	zmq  *zmq.Socket
	held atomic.Bool
	came int
	stop chan struct{}
}

func startSide(t *testing.T, uri string, limits PeerLimits) *side {
	t.Helper()
	s := &side{stop: make(chan struct{})}
	var err error
	s.zmq, err = create(zmq.XPUB, uri, func(z *zmq.Socket) error {
		return errors.Join(z.SetXpubVerboser(1), z.SetXpubWelcomeMsg("\xffwelcome"), z.SetSndhwm(0), z.SetRcvhwm(0))
	})
	require.NoError(t, err)
	s.Peers, err = newPeers(s.zmq, limits, s.idles, func(value any) { t.Errorf("panic: %v", value) })
	require.NoError(t, err)
	require.NoError(t, listen(s.zmq, uri))
	s.uri, err = s.zmq.GetLastEndpoint()
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-s.stop:
				return
			case <-time.After(time.Millisecond):
				s.serve()
			}
		}
	}()
	t.Cleanup(func() {
		close(s.stop)
		<-done
		require.NoError(t, s.zmq.Close())
		s.Await(deadline)
		select {
		case <-s.ended:
		default:
			t.Error("the monitor goes on after its socket")
		}
	})
	return s
}

// serve takes what there is.
func (s *side) serve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held.Load() {
		return
	}
	for {
		frames, err := s.receive()
		if err != nil {
			break
		}
		s.came++
		s.Subscribed(frames.fd, frames.first[0] == 1, frames.first[1:])
	}
	s.TakenAll()
}

type received struct {
	first []byte
	fd    int
}

func (s *side) receive() (r received, err error) {
	for i, more := 0, true; more; i++ {
		frame, metadata, err := s.zmq.RecvBytesWithMetadata(zmq.DONTWAIT, "__fd")
		if err != nil {
			return r, err
		}
		if i == 0 {
			r.first = frame
			if _, err := fmt.Sscan(metadata["__fd"], &r.fd); err != nil {
				r.fd = -1
			}
		}
		if more, err = s.zmq.GetRcvmore(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// idles is what a proxy says: that it waits, and has taken what has come.
func (s *side) idles() bool {
	if s.held.Load() || !s.mu.TryLock() {
		return false
	}
	defer s.mu.Unlock()
	events, err := s.zmq.GetEvents()
	return err == nil && events&zmq.POLLIN == 0
}

func (s *side) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.came
}

// hasCut waits until so many have been cut off, and returns why.
func (s *side) hasCut(t *testing.T, count int) (reasons []string) {
	t.Helper()
	require.Eventually(t, func() bool { return int(s.CutOff()) >= count }, deadline, time.Millisecond)
	for _, c := range s.CutOffs() {
		reasons = append(reasons, c.Reason)
	}
	return reasons
}

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

func TestOldestWithoutHandshakeIsCutForANewOne(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 10, Handshakes: 3})
	good := peerOf(t, s.uri, "SUB")
	var silent []raw
	for i := range 5 {
		silent = append(silent, connect(t, s.uri))
		// Not the whole of a handshake is none.
		silent[i].say(t, greeting)
		silent[i].hear(t, handshakeBytes)
	}
	assert.Equal(t, []string{TooManyHandshakes}, s.hasCut(t, 2))
	assert.True(t, silent[0].isOver(t) && silent[1].isOver(t))
	assert.True(t, silent[2].isThere(t) && silent[4].isThere(t))
	assert.True(t, good.isThere(t))
}

func TestHandshakesGetAQuarterOfTheDescriptors(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 10, Handshakes: 1 << 30})
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	assert.Less(t, s.limits.Handshakes, int(limit.Cur)/4)
}

func TestConnectionThatLeavesTooFewDescriptorsIsCut(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 10, Handshakes: 128})
	good := peerOf(t, s.uri, "SUB")
	require.Eventually(t, func() bool { return s.connections() == 1 }, deadline, time.Millisecond)
	s.Peers.mu.Lock()
	s.maxFD = 0
	s.Peers.mu.Unlock()
	if conn, err := net.Dial("tcp", strings.TrimPrefix(s.uri, "tcp://")); err == nil { // or it is over already
		defer func() { require.NoError(t, conn.Close()) }()
	}
	assert.Equal(t, []string{NoDescriptors}, s.hasCut(t, 1))
	assert.True(t, good.isThere(t))
}

// As under load: its handshake is over before the proxy hears of it.
func TestQuickPeerThatLeavesTooFewDescriptorsIsCutToo(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 10, Handshakes: 128})
	good := peerOf(t, s.uri, "SUB")
	require.Eventually(t, func() bool { return s.connections() == 1 }, deadline, time.Millisecond)
	s.Peers.mu.Lock()
	s.maxFD = 0
	quick := peerOf(t, s.uri, "SUB")
	s.Peers.mu.Unlock()
	assert.True(t, quick.isOver(t))
	assert.Equal(t, []string{NoDescriptors}, s.hasCut(t, 1))
	assert.True(t, good.isThere(t))
}

func TestSubscriberWithTooManySubscriptionsIsCut(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 100, Handshakes: 10})
	good, bad := peerOf(t, s.uri, "SUB"), peerOf(t, s.uri, "SUB")
	for i := range 101 {
		if i < 100 {
			good.say(t, frame(0, fmt.Appendf(nil, "\x01A.%d.", i)))
		}
		bad.say(t, frame(0, fmt.Appendf(nil, "\x01A.%d.", i)))
	}
	assert.Equal(t, []string{TooManySubscriptions}, s.hasCut(t, 1))
	assert.True(t, bad.isOver(t))
	assert.True(t, good.isThere(t))
}

func TestFiltersAreCountedInBytesToo(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 100, Handshakes: 10})
	bad := peerOf(t, s.uri, "SUB")
	for i := range 7 {
		bad.say(t, frame(0, fmt.Appendf(nil, "\x01%01000d", i)))
	}
	assert.Equal(t, []string{TooManySubscriptions}, s.hasCut(t, 1))
}

// untold is a side for subscribers that has not been told of any subscription yet: libzmq
// takes in as many as come, and tells of none before there are no more.
func untold(t *testing.T, limit int) (*side, raw) {
	t.Helper()
	s := startSide(t, anyPort, PeerLimits{
		Subscriptions: limit, Handshakes: 10,
	})
	peer := peerOf(t, s.uri, "SUB")
	s.held.Store(true)
	return s, peer
}

func (s *side) connections() int {
	s.Peers.mu.Lock()
	defer s.Peers.mu.Unlock()
	return len(s.peers)
}

// looked is how many bytes of its connections have been looked at.
func (s *side) looked() (bytes uint64) {
	s.Peers.mu.Lock()
	defer s.Peers.mu.Unlock()
	for _, peer := range s.peers {
		bytes += peer.message.read
	}
	return bytes
}

func TestTooManySubscriptionsAreCutBeforeAnyIsTaken(t *testing.T) {
	s, peer := untold(t, 4000)
	go func() {
		for filter := make([]byte, 1000); ; {
			if _, err := peer.Write(frame(0, append([]byte{1}, filter...))); err != nil {
				return
			}
		}
	}()
	assert.Equal(t, []string{TooManySubscriptions}, s.hasCut(t, 1))
}

func TestAllFiltersThatOneMayHaveCanComeAtOnce(t *testing.T) {
	const limit = 10000
	s, peer := untold(t, limit)
	var all []byte
	for i := range limit {
		all = append(all, frame(4, fmt.Appendf(nil, "\x09SUBSCRIBE%031d", i))...)
	}
	peer.say(t, all)
	require.Eventually(t, func() bool { return s.looked() > uint64(len(all)) }, deadline, time.Millisecond)
	s.held.Store(false)
	require.Eventually(t, func() bool { return s.taken() == limit }, deadline, time.Millisecond)
	assert.Zero(t, s.CutOff())
}

func TestOnlyFiltersThatWereSubscribedCanBeGivenUp(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 100, Handshakes: 10})
	bad := peerOf(t, s.uri, "SUB")
	for i := range 101 {
		bad.say(t, frame(0, fmt.Appendf(nil, "\x01A.%d.", i)))
		bad.say(t, frame(0, fmt.Appendf(nil, "\x00B.%d.", i)))
	}
	assert.Equal(t, []string{TooManySubscriptions}, s.hasCut(t, 1))
}

func TestFiltersThatComeAndGoOrComeTwiceAreNotTooMany(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 2, Handshakes: 10})
	good := peerOf(t, s.uri, "SUB")
	good.say(t, frame(0, []byte("\x01Kept.")))
	for i := range 100 {
		good.say(t, frame(0, []byte("\x01Kept.")))
		good.say(t, frame(0, fmt.Appendf(nil, "\x01A.%d.", i)))
		good.say(t, frame(0, fmt.Appendf(nil, "\x00A.%d.", i)))
	}
	require.Eventually(t, func() bool { return s.taken() == 301 }, deadline, time.Millisecond)
	assert.Zero(t, s.CutOff())
}

// endless are frames of messages that do not end.
var endless = map[string][]byte{
	"large frames": frame(1, make([]byte, 1<<20)),
	"small frames": []byte(strings.Repeat(string(frame(1, make([]byte, 100))), 1000)),
	"empty frames": []byte(strings.Repeat(string(frame(1, nil)), 10_000)),
}

func TestMessageThatDoesNotEndIsCut(t *testing.T) {
	for name, frames := range endless {
		t.Run(name, func(t *testing.T) {
			s := startSide(t, anyPort, PeerLimits{Subscriptions: 10_000, Handshakes: 10})
			good, bad := peerOf(t, s.uri, "XSUB"), peerOf(t, s.uri, "XSUB")
			bad.sayUntilCut(t, frames)
			s.hasCut(t, 1)
			assert.True(t, good.isThere(t))
		})
	}
}

func TestSubscriptionsThatTheProxyHasNotTakenAreNobodysFault(t *testing.T) {
	s, busy := untold(t, 10_000)
	// The proxy is busy elsewhere, and comes back now and then without reading.
	const count = 2 * unfinishedSlack / 1000
	for i := range count {
		busy.say(t, frame(0, fmt.Appendf(nil, "\x01%01000d", i)))
	}
	require.Eventually(t, func() bool { return s.looked() > unfinishedSlack }, deadline, time.Millisecond)
	s.held.Store(false)
	require.Eventually(t, func() bool { return s.taken() == count }, deadline, time.Millisecond)
	assert.Zero(t, s.CutOff())
}

func TestFrozenSubscriberIsCutAndOneThatReadsIsNot(t *testing.T) {
	for _, uri := range []string{anyPort, "ipc://" + filepath.Join(t.TempDir(), "sub")} {
		t.Run(uri[:3], func(t *testing.T) {
			s := startSide(t, uri, PeerLimits{Subscriptions: 10, Handshakes: 10})
			frozen, reading := peerOf(t, s.uri, "SUB"), peerOf(t, s.uri, "SUB")
			for _, r := range []raw{frozen, reading} {
				r.say(t, frame(0, []byte("\x01A.")))
			}
			require.Eventually(t, func() bool { return s.taken() == 2 }, deadline, time.Millisecond)
			over := make(chan struct{})
			go func() {
				defer close(over)
				_, _ = io.Copy(io.Discard, reading)
			}()
			event := append([]byte("A."), make([]byte, 100_000)...)
			cut := 0
			for end := time.Now().Add(deadline); cut == 0; {
				require.True(t, time.Now().Before(end), "not cut off")
				s.mu.Lock()
				_, err := s.zmq.SendBytes(event, 0)
				s.mu.Unlock()
				require.NoError(t, err)
				cut += s.CutFrozen()
				time.Sleep(time.Millisecond)
			}
			assert.Equal(t, 1, cut)
			assert.Equal(t, []string{Frozen}, s.hasCut(t, 1))
			assert.True(t, frozen.isOver(t))
			select {
			case <-over:
				t.Error("the one that reads is cut off")
			default:
			}
		})
	}
}

func TestNumberThatHasBecomeAStrangersIsLeftAlone(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 10, Handshakes: 10})
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, errors.Join(syscall.Close(pair[0]), syscall.Close(pair[1]))) }()
	s.Peers.mu.Lock()
	s.accepted(pair[0]) // libzmq has closed it before this was read
	assert.Empty(t, s.peers)
	s.cut(&peer{fd: pair[0], inode: 1}, EndlessMessage) // and here after
	s.Peers.mu.Unlock()
	assert.Zero(t, s.CutOff())
	_, err = syscall.Write(pair[0], []byte("x"))
	assert.NoError(t, err)
}

func TestBytesReceivedAreThoseOfOneConnection(t *testing.T) {
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listening.Close()) }()
	client := connect(t, "tcp://"+listening.Addr().String())
	server, err := listening.Accept()
	require.NoError(t, err)
	conn, err := client.Conn.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	var connection Connection
	require.NoError(t, conn.Control(func(fd uintptr) { connection = ConnectionOn(int(fd)) }))
	raw{server}.say(t, make([]byte, 1000))
	client.hear(t, 400)
	received, ok := connection.BytesReceived()
	assert.True(t, ok)
	assert.EqualValues(t, 400, received, "what nobody has read yet is none")
	require.NoError(t, errors.Join(client.Close(), server.Close()))
	_, ok = connection.BytesReceived()
	assert.False(t, ok)
}

// The kernel is asked twice, and more may arrive in between.
func TestBytesReceivedAreNeverMoreThanHaveArrived(t *testing.T) {
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listening.Close()) }()
	for range 500 {
		client := connect(t, "tcp://"+listening.Addr().String())
		server, err := listening.Accept()
		require.NoError(t, err)
		conn, err := client.Conn.(syscall.Conn).SyscallConn()
		require.NoError(t, err)
		var connection Connection
		require.NoError(t, conn.Control(func(fd uintptr) { connection = ConnectionOn(int(fd)) }))
		said := make(chan struct{})
		go func() {
			defer close(said)
			_, _ = server.Write(make([]byte, 100))
		}()
		for over := false; !over; {
			select {
			case <-said:
				over = true
			default:
			}
			received, _ := connection.BytesReceived()
			require.Zero(t, received)
		}
		require.NoError(t, errors.Join(client.Close(), server.Close()))
	}
}

func TestGonePeersLeaveNothingBehind(t *testing.T) {
	s := startSide(t, anyPort, PeerLimits{Subscriptions: 10, Handshakes: 10})
	for range 50 {
		require.NoError(t, peerOf(t, s.uri, "SUB").Close())
		require.NoError(t, connect(t, s.uri).Close())
	}
	require.Eventually(t, func() bool { return s.connections() == 0 }, deadline, time.Millisecond)
	assert.Eventually(t, func() bool {
		s.Peers.mu.Lock()
		defer s.Peers.mu.Unlock()
		return len(s.handshakes) == 0 && s.shaking == 0 && s.nextLook.IsZero()
	}, deadline, time.Millisecond)
	assert.Zero(t, s.CutOff())
}
