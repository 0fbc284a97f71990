package spool

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
)

func entries(n int, size int) []Entry {
	list := make([]Entry, n)
	for i := range list {
		list[i] = Entry{Kind: KindMessage, Topic: fmt.Sprint("t/", i), Payload: bytes.Repeat([]byte{byte(i)}, size), Reason: "bad_json"}
	}
	return list
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	weird := Entry{
		Time: 5, Kind: KindMessage, Topic: "a/\x00\xff'\n/b", Payload: []byte{0, 1, 2, 0xff}, Reason: "bad_name", Detail: "سطر",
		QoS: 1, Retained: true, Received: 1763895600123,
	}
	appendBatch(t, s, &Batch{Quarantine: []Entry{weird, {Kind: KindLine, Payload: []byte("m f=1 1"), Reason: "type_conflict"}, {Kind: KindMessage, Topic: "x", Reason: "empty"}}})

	got, err := s.Get(t.Context(), 1)
	weird.ID, weird.Size = 1, 4
	if err != nil || fmt.Sprint(got) != fmt.Sprint(weird) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, c := range []struct {
		name   string
		filter Filter
		page   Page
		want   []int64
	}{
		{"all", Filter{}, Page{}, []int64{1, 2, 3}},
		{"kind", Filter{Kind: KindMessage}, Page{}, []int64{1, 3}},
		{"reason", Filter{Reason: "type_conflict"}, Page{}, []int64{2}},
		{"topic", Filter{Topic: "/b"}, Page{}, []int64{1}},
		{"until", Filter{Until: 6}, Page{}, []int64{1}},
		{"since", Filter{Since: 6}, Page{}, []int64{2, 3}},
		{"first page", Filter{}, Page{Limit: 2}, []int64{1, 2}},
		{"next page", Filter{}, Page{After: 2, Limit: 2}, []int64{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := s.List(t.Context(), c.filter, c.page)
			var ids []int64
			for _, e := range list {
				ids = append(ids, e.ID)
				if e.Payload != nil {
					t.Error("a listing with payloads")
				}
			}
			if err != nil || fmt.Sprint(ids) != fmt.Sprint(c.want) {
				t.Errorf("%v, %v", ids, err)
			}
		})
	}
	if _, err := s.Get(t.Context(), 99); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing entry: %v", err)
	}
	b := batch(0, 2)
	if err := s.Replay(t.Context(), 1, b); err != nil {
		t.Fatal(err)
	}
	if err := s.Replay(t.Context(), 1, b); !errors.Is(err, ErrNotFound) {
		t.Errorf("replayed twice: %v", err)
	}
	if n, err := s.Drop(t.Context(), 2, 99); n != 1 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	if n, err := s.DropAll(t.Context(), Filter{Reason: "empty"}); n != 1 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	l, st := balanced(t, s)
	if l.LinesReplay != 2 || l.QuarantineAdded != 3 || l.QuarantineReplayed != 1 || l.QuarantineDropped != 2 || st.QuarantineCount != 0 || st.PendingLines != 2 {
		t.Errorf("ledger %+v, stats %+v", l, st)
	}
	appendBatch(t, s, &Batch{Quarantine: []Entry{{Kind: KindMessage, Reason: "empty"}}})
	if list, err := s.List(t.Context(), Filter{}, Page{}); err != nil || len(list) != 1 || list[0].ID != 4 {
		t.Errorf("an id was used again: %+v, %v", list, err)
	}
}

func TestQuarantineCap(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	o.Quarantine.MaxBytes = 1 * MiB
	s := open(t, o)
	for range 50 {
		appendBatch(t, s, &Batch{Quarantine: entries(100, 500)}) // 3.3 MB in all
		if st := snapshot(t, s); st.QuarantineBytes > int64(o.Quarantine.MaxBytes) {
			t.Fatalf("%d bytes over the cap", st.QuarantineBytes-int64(o.Quarantine.MaxBytes))
		}
	}
	l, st := balanced(t, s)
	if l.QuarantineAdded != 5000 || l.QuarantineEvicted+st.QuarantineCount != 5000 || l.QuarantineEvicted == 0 {
		t.Errorf("ledger %+v, %d entries", l, st.QuarantineCount)
	}
	if st.QuarantineBytes < int64(o.Quarantine.MaxBytes)*9/10 {
		t.Errorf("only %d bytes are kept", st.QuarantineBytes)
	}
	list, err := s.List(t.Context(), Filter{}, Page{Limit: 1})
	if err != nil || list[0].ID != l.QuarantineEvicted+1 {
		t.Errorf("not the oldest have gone: %+v, %v", list, err)
	}
}

func TestQuarantineTruncates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		cap       Bytes
		size      int
		truncated bool
	}{
		{"16 MiB", 256 * MiB, 16 << 20, false},
		{"over 16 MiB", 256 * MiB, 16<<20 + 1, true},
		{"a quarter of a small cap", 4 * MiB, 1 << 20, false},
		{"more than that", 4 * MiB, 1<<20 + 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t.TempDir(), &logBook{})
			o.Quarantine.MaxBytes = c.cap
			s := open(t, o)
			payload := bytes.Repeat([]byte("0123456789abcdef"), c.size/16+1)[:c.size]
			appendBatch(t, s, &Batch{Quarantine: []Entry{{Kind: KindMessage, Payload: payload, Reason: "too_large"}}})
			e, err := s.Get(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(payload)
			switch {
			case e.Size != int64(c.size) || e.Truncated() != c.truncated:
				t.Errorf("size %d, truncated %v", e.Size, e.Truncated())
			case c.truncated && (!bytes.Equal(e.Payload, payload[:64<<10]) || !bytes.Equal(e.SHA256, sum[:])):
				t.Errorf("kept %d bytes, sum %x", len(e.Payload), e.SHA256)
			case !c.truncated && !bytes.Equal(e.Payload, payload):
				t.Errorf("kept %d bytes", len(e.Payload))
			}
			balanced(t, s)
		})
	}
}
