package spool

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// states returns all that is remembered, and checks that it comes in order.
func states(t testing.TB, s *Spool) map[string]string {
	t.Helper()
	all := map[string]string{}
	last := ""
	err := s.States(context.Background(), func(st State) error {
		if st.Key <= last || st.Value == nil {
			t.Errorf("state %q after %q, value %v", st.Key, last, st.Value)
		}
		last = st.Key
		all[st.Key] = string(st.Value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// someStates are seven, of which two are longer than a page.
func someStates() []State {
	var all []State
	for i := range 7 {
		value := fmt.Appendf(nil, "born: gateway %d", i)
		if i > 4 {
			value = append(value, bytes.Repeat([]byte("metric "), 2000)...)
		}
		all = append(all, State{Key: fmt.Sprint("gateway/", i), Value: value})
	}
	return all
}

func TestStates(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	s := open(t, o)
	for _, c := range []struct {
		name  string
		state []State
		want  map[string]string
	}{
		{"none", nil, map[string]string{}},
		{"forget what is unknown", []State{{Key: "x"}}, map[string]string{}},
		{"in no order", []State{{"b", []byte("1")}, {"a", []byte("2")}}, map[string]string{"a": "2", "b": "1"}},
		{"replace", []State{{"b", []byte("3")}}, map[string]string{"a": "2", "b": "3"}},
		{"forget", []State{{"a", nil}}, map[string]string{"b": "3"}},
		{"twice in one batch", []State{{"c", []byte("4")}, {"c", []byte("5")}, {"b", nil}}, map[string]string{"c": "5"}},
		{"forgotten and back", []State{{"c", nil}, {"c", []byte("6")}}, map[string]string{"c": "6"}},
		{"empty", []State{{"c", []byte{}}}, map[string]string{"c": ""}},
		{"any bytes", []State{{"a\x00\xff'", []byte{0, 0xff}}, {"a", []byte("7")}, {"مقياس", []byte("8")}},
			map[string]string{"a\x00\xff'": "\x00\xff", "a": "7", "c": "", "مقياس": "8"}},
		{"the largest", []State{{strings.Repeat("k", 512), bytes.Repeat([]byte("v"), 1<<20)}, {"a\x00\xff'", nil}, {"مقياس", nil}, {"c", nil}},
			map[string]string{"a": "7", strings.Repeat("k", 512): strings.Repeat("v", 1<<20)}},
	} {
		appendBatch(t, s, &Batch{State: c.state})
		if got := states(t, s); !maps.Equal(got, c.want) {
			t.Errorf("%s: %.200v", c.name, got)
		}
		shut(t, s)
		s = open(t, o)
		if got := states(t, s); !maps.Equal(got, c.want) {
			t.Errorf("%s, reopened: %.200v", c.name, got)
		}
	}
	if l, st := balanced(t, s); l != (Ledger{}) || st.PendingLines != 0 {
		t.Errorf("states were counted: %+v, %+v", l, st)
	}
}

// TestStatesBeside: another process reads them, and stores some, while the
// service runs.
func TestStatesBeside(t *testing.T) {
	t.Parallel()
	o := options(t.TempDir(), &logBook{})
	s := open(t, o)
	appendBatch(t, s, &Batch{State: []State{{"a", []byte("1")}}})
	beside, err := Attach(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, beside)
	if got := states(t, beside); !maps.Equal(got, map[string]string{"a": "1"}) {
		t.Errorf("beside: %v", got)
	}
	appendBatch(t, beside, &Batch{State: []State{{"b", []byte("2")}}})
	if got := states(t, s); !maps.Equal(got, map[string]string{"a": "1", "b": "2"}) {
		t.Errorf("the service: %v", got)
	}
}

func TestStatesEnd(t *testing.T) {
	t.Parallel()
	s := open(t, options(t.TempDir(), &logBook{}))
	appendBatch(t, s, &Batch{State: someStates()})
	enough, n := errors.New("enough"), 0
	err := s.States(t.Context(), func(State) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("the caller's error: %v after %d", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.States(ctx, func(State) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestDamagedStates: a byte flipped in the file costs that state, and no other.
func TestDamagedStates(t *testing.T) {
	t.Parallel()
	keys := []string{"gateway/0", "gateway/1", "gateway/2", "gateway/3", "gateway/4", "gateway/5", "gateway/6"}
	without := func(i int) []string { return slices.Delete(slices.Clone(keys), i, i+1) }
	for _, c := range []struct {
		name string
		text string
		nth  int // of the places where it stands
		want []string
	}{
		{"a value", "born: gateway 2", 0, without(2)},
		{"a value that fills several pages", "born: gateway 5", 0, without(5)},
		{"a key in the table", "gateway/3\x01", -1, without(3)},
		{"a key in the index", "", 0, keys},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := filled(t, t.TempDir(), 20)
			switch c.text {
			case "":
				root := pageOf(t, o, "sqlite_autoindex_state_1")
				corrupt(t, o.file(""), func(b []byte) []byte {
					at := bytes.Index(b[(root-1)*pageSize:], []byte("gateway/3"))
					b[(root-1)*pageSize+at+8] ^= 0x20
					return b
				})
			default:
				root := 0
				if c.nth < 0 {
					root = (pageOf(t, o, "state") - 1) * pageSize
				}
				text := strings.TrimSuffix(c.text, "\x01")
				corrupt(t, o.file(""), func(b []byte) []byte {
					b[root+bytes.Index(b[root:], []byte(text))+len(text)-1] ^= 0x40
					return b
				})
			}
			log := &logBook{}
			o.Log = o.Log.Output(log)
			s := open(t, o)
			got := states(t, s)
			if have := slices.Sorted(maps.Keys(got)); !slices.Equal(have, c.want) {
				t.Errorf("states %q, want %q", have, c.want)
			}
			if n := strings.Count(log.String(), "left out"); n != len(keys)-len(c.want) {
				t.Errorf("%d left out in the log:\n%s", n, log)
			}
			appendBatch(t, s, &Batch{State: []State{{"gateway/3", []byte("born again")}}})
			if got := states(t, s)["gateway/3"]; got != "born again" {
				t.Errorf("stored again: %q", got)
			}
			if l, _ := balanced(t, s); l.Lost != 0 {
				t.Errorf("ledger %+v", l)
			}
		})
	}
}

// TestDestroyedPageOfStates: SQLite cannot read the table any more; what other
// pages hold is salvaged while the service runs.
func TestDestroyedPageOfStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		page func(t *testing.T, o Options, b []byte) int
		min  int // of 300
	}{
		{"the root", func(t *testing.T, o Options, _ []byte) int { return pageOf(t, o, "state") }, 300},
		{"a leaf", func(_ *testing.T, _ Options, b []byte) int {
			return bytes.Index(b, []byte("node 0150 was born"))/pageSize + 1
		}, 260},
		{"the root of the index", func(t *testing.T, o Options, _ []byte) int { return pageOf(t, o, "sqlite_autoindex_state_1") }, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := filled(t, t.TempDir(), 20)
			s := open(t, o)
			for i := range 300 {
				value := fmt.Appendf(nil, "node %04d was born %s", i, strings.Repeat("x", 200))
				appendBatch(t, s, &Batch{State: []State{{fmt.Sprintf("node/%04d", i), value}}})
			}
			appendBatch(t, s, &Batch{State: []State{{"gateway/0", nil}}})
			shut(t, s)
			corrupt(t, o.file(""), func(b []byte) []byte {
				n := c.page(t, o, b)
				clear(b[(n-1)*pageSize : n*pageSize])
				return b
			})
			log := &logBook{}
			o.Log = o.Log.Output(log)
			s = open(t, o)
			b := batch(500, 10)
			b.State = []State{{"node/0000", []byte("born again")}}
			appendBatch(t, s, b)
			got := states(t, s)
			nodes := 0
			for key := range got {
				if strings.HasPrefix(key, "node/") {
					nodes++
				}
			}
			if _, there := got["gateway/0"]; there || nodes < c.min || got["node/0000"] != "born again" || len(asides(t, o.Dir)) != 1 {
				t.Errorf("%d states of nodes, node 0 %q\n%s", nodes, got["node/0000"], log)
			}
			if n := len(drain(t, s)); n != 160 {
				t.Errorf("%d lines", n)
			}
			if l, _ := balanced(t, s); l.Lost != 0 {
				t.Errorf("ledger %+v", l)
			}
		})
	}
}

// pageOf is where a table or an index begins.
func pageOf(t *testing.T, o Options, name string) (root int) {
	t.Helper()
	if err := plain(t, o).QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_schema WHERE name=?", name).Scan(&root); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestStatesOfTheWrongType: what another program may have written.
func TestStatesOfTheWrongType(t *testing.T) {
	t.Parallel()
	o := filled(t, t.TempDir(), 10)
	run(t, plain(t, o), "UPDATE state SET crc='x' WHERE key='gateway/0'; UPDATE state SET value=7 WHERE key='gateway/1'; "+
		"UPDATE state SET time=time+1 WHERE key='gateway/2'; DELETE FROM state WHERE key='gateway/4'")
	log := &logBook{}
	o.Log = o.Log.Output(log)
	if got := slices.Sorted(maps.Keys(states(t, open(t, o)))); !slices.Equal(got, []string{"gateway/3", "gateway/5", "gateway/6"}) {
		t.Errorf("states %q", got)
	}
	log.has(t, `"key":"gateway/1"`)
}

// TestSalvageTakesTheNewerState: of two copies the later counts, whichever page
// comes first.
func TestSalvageTakesTheNewerState(t *testing.T) {
	t.Parallel()
	g := salvage{opts: options(t.TempDir(), &logBook{}), cursor: -1, insert: map[string]*sql.Stmt{}}
	g.conn = plain(t, g.opts)
	if _, err := migrate(g.conn, migrations); err != nil {
		t.Fatal(err)
	}
	record := func(key string, time int64, value string) []any {
		st := State{Key: key, Value: []byte(value)}
		return []any{nil, key, time, st.sum(time), st.Value}
	}
	broken := record("c", 1, "x")
	broken[4] = []byte("y")
	for i, v := range [][]any{
		record("a", 1, "old"), record("a", 2, "new"), record("b", 2, "new"), record("b", 1, "old"), broken,
	} {
		if err := g.take(int64(i+1), v, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.take(9, record("a", 3, "never committed"), true); err != nil {
		t.Fatal(err)
	}
	for _, stmt := range g.insert {
		if err := stmt.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, g.opts)
	if got := states(t, s); !maps.Equal(got, map[string]string{"a": "new", "b": "new"}) {
		t.Errorf("states %v", got)
	}
}

// TestStatesCount: their bytes are in what a batch needs, their pages in what
// the cap is about, and forgetting gives them back.
func TestStatesCount(t *testing.T) {
	t.Parallel()
	small, large := Batch{}, Batch{}
	for i := range 4 {
		large.State = append(large.State, State{Key: fmt.Sprint(i), Value: make([]byte, 1<<20)})
	}
	if d := large.need() - small.need(); d < 4<<20 || d > 5<<20 {
		t.Errorf("%d bytes are needed for 4 MiB of states", d)
	}
	o := options(t.TempDir(), &logBook{})
	o.Config.MaxBytes = 16 * MiB
	s := open(t, o)
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		err = s.Append(t.Context(), &Batch{State: []State{{fmt.Sprint("k", n), make([]byte, 1<<20)}}})
	}
	if !errors.Is(err, ErrFull) || n < 14 || n > 18 {
		t.Fatalf("after %d MiB: %v", n, err)
	}
	if st := snapshot(t, s); st.BacklogBytes < st.CapBytes {
		t.Errorf("stats %+v", st)
	}
}

// TestFormerVersion opens files that the former version has left: one that was
// closed, and one that was killed, with its log.
func TestFormerVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		file    string
		damaged bool
		pending int // lines
	}{
		{"closed", "closed.db", false, 50},
		{"killed", "killed.db", false, 60},
		{"damaged", "closed.db", true, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := &logBook{}
			o := options(t.TempDir(), log)
			for _, suffix := range []string{"", "-wal"} {
				b, err := os.ReadFile("testdata/v1/" + c.file + suffix)
				if errors.Is(err, os.ErrNotExist) && suffix != "" {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if c.damaged {
					clear(b[:pageSize])
				}
				if err := os.WriteFile(o.file(suffix), b, 0o640); err != nil {
					t.Fatal(err)
				}
			}
			if !c.damaged {
				if _, err := Attach(t.Context(), o); !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "start the service once") {
					t.Errorf("attach: %v", err)
				}
			}
			s := open(t, o)
			if _, st := balanced(t, s); int(st.PendingLines) != c.pending || st.QuarantineCount != 3 || st.FingerprintBytes == 0 {
				t.Errorf("stats %+v\n%s", st, log)
			}
			if len(asides(t, o.Dir)) > 0 != c.damaged {
				t.Errorf("moved aside: %v\n%s", asides(t, o.Dir), log)
			}
			if got := states(t, s); len(got) != 0 {
				t.Errorf("states %v", got)
			}
			b := batch(100, 10)
			b.State = someStates()
			appendBatch(t, s, b)
			shut(t, s)
			s = open(t, o)
			if got := states(t, s); len(got) != 7 {
				t.Errorf("%d states", len(got))
			}
			if got := drain(t, s); len(got) != c.pending+10 || got[len(got)-1] != line(109) {
				t.Errorf("%d lines", len(got))
			}
			balanced(t, s)
		})
	}
}
