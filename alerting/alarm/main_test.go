package alarm

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/imdad-telemetry/imdad/alerting/rule"
	"github.com/imdad-telemetry/imdad/collector/zone"
)

func TestMain(m *testing.M) {
	if role := os.Getenv("ALARM_TEST_CHILD"); role != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

// start is the time at which all tests begin.
var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// logBook keeps what the book says.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func options(dir string, l *logBook) Options {
	return Options{
		Path: filepath.Join(dir, "alarms.db"), Config: DefaultConfig(), Log: zerolog.New(l),
		Now: func() time.Time { return start },
	}
}

func open(t testing.TB, o Options) *Book {
	t.Helper()
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

func openNew(t testing.TB) *Book {
	t.Helper()
	return open(t, options(t.TempDir(), &logBook{}))
}

// step runs one step and returns its transitions.
func step(t testing.TB, b *Book, now time.Time, findings ...rule.Finding) []Transition {
	t.Helper()
	ts, err := b.Step(t.Context(), now, findings)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// outage is a raised finding without delays.
func outage(feeder string) rule.Finding {
	return rule.Finding{
		Key: rule.Key{Kind: "elec.outage", Object: feeder}, State: rule.Raised, Severity: rule.High,
		City: "sheikh-najjar", InZone: "zone-1", ObjectKind: zone.FeederKind,
		Numbers: map[string]float64{"mw": 4.2, "pct": 37}, Words: map[string]string{"cause": "trip"},
		Stalls: []string{"plant-1", "plant-2"},
	}
}

// journal reads all of it.
func journal(t testing.TB, b *Book) []Transition {
	t.Helper()
	ts, err := b.Transitions(t.Context(), 0, maxLimit)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}
