package collector

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imdad-telemetry/imdad/collector/decode"
	"github.com/imdad-telemetry/imdad/collector/spool"
)

func TestReplay(t *testing.T) {
	t.Parallel()
	received := noon.Add(-24 * time.Hour).UnixMilli()
	message := func(payload string) spool.Entry {
		return spool.Entry{Kind: spool.KindMessage, Topic: topic, Payload: []byte(payload), QoS: 1, Received: received, Reason: "no_source"}
	}
	held := func(e spool.Entry) spool.Entry {
		e.Retained = true
		return e
	}
	at := func(ms int64) string { return fmt.Sprint(received + ms) }
	tests := []struct {
		name  string
		entry spool.Entry
		lines string
		err   string // "": it is replayed
	}{
		// Yesterday it was no news, and not late either.
		{"a reading", message(`{"ts":` + at(0) + `,"values":{"flow_m3h":1}}`), "water,city=c,meter=w1,zone=z flow_m3h=1,quality=0i " + at(0) + "\n", ""},
		{"late when it came", message(`{"ts":` + at(-7200_000) + `,"values":{"flow_m3h":1}}`), "water,city=c,meter=w1,zone=z flow_m3h=1,quality=2i " + at(-7200_000) + "\n", ""},
		{"a wrong clock", message(`{"ts":5,"values":{"flow_m3h":1}}`), "water,city=c,meter=w1,zone=z flow_m3h=1,quality=4i,device_time_ms=5i " + at(0) + "\n", ""},
		{"retained, with a time", held(message(`{"ts":` + at(0) + `,"values":{"flow_m3h":1}}`)), "water,city=c,meter=w1,zone=z flow_m3h=1,quality=0i " + at(0) + "\n", ""},
		{"retained, without", held(message(`{"values":{"flow_m3h":1}}`)), "", ErrTimeless.Error()},
		{"retained, with a wrong clock", held(message(`{"ts":5,"values":{"flow_m3h":1}}`)), "", ErrTimeless.Error()},
		{"a line", spool.Entry{Kind: spool.KindLine, Payload: []byte("water flow_m3h=1 5"), Reason: "refused"}, "water flow_m3h=1 5\n", ""},
		{"rejected again", message(`{"ts":`), "", "bad_json: "},
		{"too long to keep", message(strings.Repeat("x", 300<<10)), "", ErrTruncated.Error()},
		{
			"a status, of which nothing is stored",
			spool.Entry{Kind: spool.KindMessage, Topic: "imdad/v1/z/gateway/g", Payload: []byte("online"), Retained: true, Received: received, Reason: "no_source"},
			"", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := openSpool(t, t.TempDir())
			if err := s.Append(t.Context(), &spool.Batch{Quarantine: []spool.Entry{tt.entry}}); err != nil {
				t.Fatal(err)
			}
			tried, tryErr := replaying(t, s).Try(t.Context(), 1)
			if got := pendingLines(t, s); got != "" {
				t.Errorf("a trial has stored %s", got)
			}
			n, err := replaying(t, s).Replay(t.Context(), 1)
			if fmt.Sprint(tryErr) != fmt.Sprint(err) || tt.entry.Kind == spool.KindMessage && len(tried.Readings) != n {
				t.Errorf("the trial says %v, %d readings; replaying %v, %d", tryErr, len(tried.Readings), err, n)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), "quarantine entry 1: "+tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if n != strings.Count(tt.lines, "\n") {
				t.Errorf("%d lines, want %q", n, tt.lines)
			}
			if got := pendingLines(t, s); got != tt.lines {
				t.Errorf("lines\n%s\nwant\n%s", got, tt.lines)
			}
			l, stats, err := s.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			replayed := int64(1)
			if tt.err != "" {
				replayed = 0
			}
			if l.QuarantineReplayed != replayed || stats.QuarantineCount != 1-replayed || l.LinesReplay != int64(n) {
				t.Errorf("ledger %+v, %d entries; want %d replayed", l, stats.QuarantineCount, replayed)
			}
		})
	}
}

// Readings that were stamped on receipt keep apart, also if they came in the
// same millisecond.
func TestReplayedStampsAreUnique(t *testing.T) {
	t.Parallel()
	s := openSpool(t, t.TempDir())
	var entries []spool.Entry
	for i := range 3 {
		entries = append(entries, spool.Entry{
			Kind: spool.KindMessage, Topic: topic, Received: noon.UnixMilli(), Reason: "no_source",
			Payload: fmt.Appendf(nil, `{"ts":0,"values":{"flow_m3h":%d}}`, i),
		})
	}
	if err := s.Append(t.Context(), &spool.Batch{Quarantine: entries}); err != nil {
		t.Fatal(err)
	}
	r := replaying(t, s)
	for id := range int64(3) {
		if _, err := r.Replay(t.Context(), id+1); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(pendingLines(t, s)), "\n")
	times := make(map[string]bool)
	for _, line := range lines {
		times[line[strings.LastIndexByte(line, ' '):]] = true
	}
	if len(lines) != 3 || len(times) != 3 {
		t.Errorf("%d lines at %d times, want 3 at 3:\n%s", len(lines), len(times), strings.Join(lines, "\n"))
	}
}

func TestReplayOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := openSpool(t, t.TempDir())
	if _, err := replaying(t, s).Replay(t.Context(), 7); !errors.Is(err, spool.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

// A rejection tells its reason, for people and for scripts.
func TestReplayRejects(t *testing.T) {
	t.Parallel()
	s := openSpool(t, t.TempDir())
	e := spool.Entry{Kind: spool.KindMessage, Topic: "elsewhere", Payload: []byte("{}"), Received: noon.UnixMilli(), Reason: "no_source"}
	if err := s.Append(t.Context(), &spool.Batch{Quarantine: []spool.Entry{e}}); err != nil {
		t.Fatal(err)
	}
	_, err := replaying(t, s).Replay(t.Context(), 1)
	var reject *decode.Reject
	if !errors.As(err, &reject) || reject.Reason != decode.NoSource {
		t.Errorf("error %v", err)
	}
}

func replaying(t *testing.T, s *spool.Spool) *Replayer {
	t.Helper()
	r, err := NewReplayer(t.Context(), s, native, registryOf(t, "c", "z"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
