package influx

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryLog is a Log in memory. It fails the test on a chunk that is done
// twice, or that was never handed out.
type memoryLog struct {
	t *testing.T

	mu      sync.Mutex
	waiting [][]byte // lines with their newline
	more    chan struct{}
	next    int64
	out     map[int64]Chunk // by First
	order   []int64         // First of the chunks, as they were done
	settled [][]byte        // lines of chunks that are done and were not refused
	refused []Refused
	nextErr error // returned by Next while set
	doneErr error // returned by Done while set
}

func newMemoryLog(t *testing.T) *memoryLog {
	return &memoryLog{t: t, more: make(chan struct{}), out: map[int64]Chunk{}}
}

func (l *memoryLog) append(lines ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range lines {
		l.waiting = append(l.waiting, []byte(line+"\n"))
	}
	close(l.more)
	l.more = make(chan struct{})
}

func (l *memoryLog) Next(ctx context.Context, maxLines int, _ time.Duration) (Chunk, error) {
	for {
		l.mu.Lock()
		if l.nextErr != nil {
			defer l.mu.Unlock()
			return Chunk{}, l.nextErr
		}
		if n := min(maxLines, len(l.waiting)); n > 0 {
			defer l.mu.Unlock()
			c := Chunk{First: l.next, Last: l.next + int64(n) - 1, Lines: bytes.Join(l.waiting[:n], nil), Count: n}
			l.waiting = l.waiting[n:]
			l.next += int64(n)
			l.out[c.First] = c
			return c, nil
		}
		more := l.more
		l.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return Chunk{}, ctx.Err()
		}
	}
}

func (l *memoryLog) Done(_ context.Context, c Chunk, refused []Refused) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.doneErr != nil {
		return l.doneErr
	}
	given, ok := l.out[c.First]
	if !ok || given.Last != c.Last {
		l.t.Errorf("chunk %d to %d is done, but not under way", c.First, c.Last)
	}
	delete(l.out, c.First)
	l.order = append(l.order, c.First)
	l.refused = append(l.refused, refused...)
	for line := range bytes.Lines(c.Lines) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		if !slices.ContainsFunc(refused, func(r Refused) bool { return bytes.Equal(r.Line, line) }) {
			l.settled = append(l.settled, line)
		}
	}
	return nil
}

// lines returns how many lines are settled, and the texts of the refused.
func (l *memoryLog) lines() (settled int, refused []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.refused {
		refused = append(refused, string(r.Line))
	}
	return len(l.settled), refused
}

func (l *memoryLog) set(next, done error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextErr, l.doneErr = next, done
}

// running is a Writer under test.
type running struct {
	*Writer
	log      *memoryLog
	registry *prometheus.Registry
	stop     func() // ends Run and waits for it
}

// start runs a writer with short pauses until the test ends. Without token it
// uses the configuration's.
func start(t *testing.T, config Config, token func() (string, error)) running {
	t.Helper()
	log, registry := newMemoryLog(t), prometheus.NewRegistry()
	w, err := New(Options{Config: config, Log: log, Token: token, Logger: zerolog.New(zerolog.NewTestWriter(t)), Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	w.pause.first, w.pause.most = 10*time.Millisecond, 50*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(grace + 5*time.Second):
			t.Error("Run does not end")
		}
	})
	t.Cleanup(stop)
	return running{w, log, registry, stop}
}

// testConfig returns the configuration that the tests begin with.
func testConfig(url string) Config {
	c := DefaultConfig()
	c.URL, c.Org, c.Bucket, c.Token = url, "imdad", "utility", "secret"
	c.Flush = 10 * time.Millisecond
	c.Timeout = 10 * time.Second
	return c
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

var errTest = errors.New("disk on fire")
