package spool

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// readPrints returns the stored fingerprints of one byte each, as a string.
func readPrints(t *testing.T, s *Spool) string {
	t.Helper()
	var b bytes.Buffer
	err := s.Fingerprints(t.Context(), func(r []byte) error { b.Write(r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	o := options(dir, &logBook{})
	o.Now = func() time.Time { return now }
	s := open(t, o)
	store := func(prints string) {
		b := batch(0, 1)
		b.Fingerprints = []byte(prints)
		appendBatch(t, s, b)
	}
	expect := func(when, want string) {
		t.Helper()
		if got := readPrints(t, s); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	expect("empty", "")
	for i := range 6 {
		store(fmt.Sprint(i))
		now = now.Add(10 * time.Minute)
	}
	expect("all pending", "012345")
	for range 3 {
		done(t, s, next(t, s, 1))
	}
	balanced(t, s)
	expect("some delivered", "012345")
	now = now.Add(24 * time.Hour)
	expect("a day later", "012345") // counted from the newest stored, 50 minutes after the first

	shut(t, s)
	s = open(t, o)
	expect("reopened", "012345")
	now = now.Add(-24 * time.Hour).Add(20 * time.Minute)
	store("6") // 80 minutes after the first
	expect("the window moves", "23456")
	if n := len(drain(t, s)); n != 4 {
		t.Errorf("%d lines drained", n)
	}
	expect("all delivered", "23456")
	if _, st := balanced(t, s); st.FingerprintBytes != 5 {
		t.Errorf("old ones were not removed: %+v", st)
	}
}

func TestFingerprintBound(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	o.FingerprintBytes = 100
	s := open(t, o)
	for i := range 40 {
		b := batch(0, 1)
		b.Fingerprints = fmt.Appendf(nil, "%010d", i)
		appendBatch(t, s, b)
		if i < 30 {
			done(t, s, next(t, s, 1))
		}
		if i == 25 {
			if _, st := balanced(t, s); st.FingerprintBytes > 100 || st.FingerprintBytes < 80 {
				t.Errorf("%d bytes are kept", st.FingerprintBytes)
			}
		}
	}
	var want string
	for i := 30; i < 40; i++ {
		want += fmt.Sprintf("%010d", i)
	}
	if got := readPrints(t, s); got != want {
		t.Errorf("%q", got)
	}
}
