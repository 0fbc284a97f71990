package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the test's own binary play the bench's roles.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		os.Exit(run(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// small is a bench with few of everything.
func small(t *testing.T, args ...string) (*bench, *bytes.Buffer) {
	t.Helper()
	o, err := parseOptions(append([]string{"-quick", "-dir", t.TempDir()}, args...), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	out := new(bytes.Buffer)
	b, err := newBench(t.Context(), o, out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	return b, out
}

// check: every figure is there and possible, and the output says what it should.
func check(t *testing.T, b *bench, out *bytes.Buffer, verdicts int, said ...string) {
	t.Helper()
	b.summary()
	if len(b.verdicts) != verdicts {
		t.Fatalf("%d verdicts, want %d", len(b.verdicts), verdicts)
	}
	for _, v := range b.verdicts {
		if !(v.value > 0) || math.IsInf(v.value, 0) {
			t.Errorf("%s: %v", v.what, v.value)
		}
	}
	for _, want := range append(said, "Targets") {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestSpeed(t *testing.T) {
	b, out := small(t)
	b.messages, b.meters = 3000, 400
	if err := b.speed(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, b, out, 3*len(windows), "in-flight window 20", "in-flight window 1000", "batches: mean", "medians:")
}

func TestCycle(t *testing.T) {
	b, out := small(t, "-imdad", "nothing is run")
	b.many = 1000
	if err := b.cycle(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, b, out, 3*len(cityStates)+1, ordinary, brokerAway)
}

func TestLatency(t *testing.T) {
	b, out := small(t)
	b.meters, b.alarms = 400, 3
	if err := b.latency(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(t, b, out, 2, "webhook", "person, by SMS")
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		v      verdict
		missed int
	}{
		{"enough", verdict{value: 0.7, limit: 0.7, atLeast: true}, 0},
		{"too little", verdict{value: 0.69, limit: 0.7, atLeast: true}, 1},
		{"not too much", verdict{value: 12, limit: 12}, 0},
		{"too much", verdict{value: 12.01, limit: 12}, 1},
		{"not a number", verdict{value: math.NaN(), limit: 12}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			b := &bench{out: &out, verdicts: []verdict{c.v}}
			if got := b.summary(); got != c.missed {
				t.Errorf("missed %d, want %d", got, c.missed)
			}
			if strings.Contains(out.String(), "MISS") != (c.missed == 1) {
				t.Errorf("the summary says:\n%s", out.String())
			}
		})
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	same := func(v float64) float64 { return v }
	if got := median([]float64{9, 1, 5}, same); got != 5 {
		t.Errorf("of three: %v, want 5", got)
	}
	if got := median([]float64{9, 1, 5, 4}, same); got != 4.5 {
		t.Errorf("of four: %v, want 4.5", got)
	}
}

func TestSinkCountsAndRecords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "batches")
	record, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{record: record}
	s.buffers.New = func() any { b := make([]byte, 3); return &b }
	bodies := []string{"a b=1 1\nc d=2 2", "a b=3 3\n", ""}
	for i, want := range []int64{2, 1, 0} {
		counted, err := s.count(strings.NewReader(bodies[i]))
		if err != nil || counted != want {
			t.Errorf("count %q = %d, %v, want %d", bodies[i], counted, err, want)
		}
		kept, err := s.keep(strings.NewReader(bodies[i]))
		if err != nil || kept != want {
			t.Errorf("keep %q = %d, %v, want %d", bodies[i], kept, err, want)
		}
	}
	if err := record.Close(); err != nil {
		t.Fatal(err)
	}
	batches, err := recorded(path)
	if err != nil || len(batches) != len(bodies) {
		t.Fatalf("recorded %d batches, %v, want %d", len(batches), err, len(bodies))
	}
	for i, batch := range batches {
		if string(batch) != bodies[i] {
			t.Errorf("batch %d is %q, want %q", i, batch, bodies[i])
		}
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for _, c := range []struct {
		name, socket string
		want         bool
	}{
		{"listening", "0: 0100007F:0747 00000000:0000 0A 00000000:00000001 00:00000000", false},
		{"idle", "1: 0100007F:0747 0100007F:9C40 01 00000000:00000000 00:00000000", false},
		{"with a request", "2: 0100007F:0747 0100007F:9C40 01 00000000:00000020 00:00000000", true},
		{"of another port", "3: 0100007F:0748 0100007F:9C40 01 00000000:00000020 00:00000000", false},
		{"the client's side", "4: 0100007F:9C40 0100007F:0747 01 00000000:00000020 00:00000000", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := waiting(head+c.socket+"\n", ":0747"); got != c.want {
				t.Errorf("waiting = %t, want %t", got, c.want)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, args, want string }{
		{"defaults", "", ""},
		{"parts", "-only speed,outage", ""},
		{"unknown part", "-only sped", `unknown part "sped"`},
		{"no pairs", "-pairs 0", "above 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			_, err := parseOptions(strings.Fields(c.args), &out)
			if c.want == "" && err != nil || c.want != "" && !strings.Contains(out.String(), c.want) {
				t.Errorf("%v, %q, want %q", err, out.String(), c.want)
			}
		})
	}
}
