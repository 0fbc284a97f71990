package influx

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// fakeServer takes what holds no bad line, and answers the rest as told.
type fakeServer struct {
	bad        map[string]bool
	storesGood bool // stores the good lines of a refused request
	verdict    verdict
	requests   int
	stored     map[string]int
	failAt     map[int]verdict // by number of the request, from 1
}

func (f *fakeServer) send(lines []byte) verdict {
	f.requests++
	if v, ok := f.failAt[f.requests]; ok {
		return v
	}
	var good []string
	for line := range bytes.Lines(lines) {
		if text := string(bytes.TrimSuffix(line, []byte{'\n'})); !f.bad[text] {
			good = append(good, text)
		}
	}
	whole := len(good) == bytes.Count(lines, []byte{'\n'})
	if whole || f.storesGood {
		for _, line := range good {
			f.stored[line]++
		}
	}
	if whole {
		return verdict{class: stored}
	}
	return f.verdict
}

func numbered(n int) (lines []byte) {
	for i := range n {
		lines = fmt.Appendf(lines, "line %d\n", i)
	}
	return lines
}

func refusedTexts(s *search) (texts []string) {
	for _, r := range s.refused {
		texts = append(texts, string(r.Line))
	}
	return texts
}

func TestSearchCostOfOneBadLine(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 1, 1234, 2499, 2500, 4242, 4998, 4999} {
		bad := fmt.Sprintf("line %d", at)
		f := &fakeServer{bad: map[string]bool{bad: true}, verdict: verdict{class: refusal, words: "no"}, stored: map[string]int{}}
		s := &search{send: f.send, rest: numbered(5000)}
		if v := s.run(); v.class != stored || len(s.rest) != 0 {
			t.Errorf("line %d: verdict %v, %d bytes left", at, v, len(s.rest))
		}
		if got := refusedTexts(s); !slices.Equal(got, []string{bad}) {
			t.Errorf("line %d: refused %q", at, got)
		}
		if len(f.stored) != 4999 {
			t.Errorf("line %d: %d lines stored", at, len(f.stored))
		}
		if f.requests > 27 {
			t.Errorf("line %d: %d requests", at, f.requests)
		}
	}
}

// Whatever lines are bad, and whatever fails in between, exactly the bad ones
// are refused and each of the others is stored.
func TestSearchFindsExactlyTheBadLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "lines")
		f := &fakeServer{
			bad:        map[string]bool{},
			storesGood: rapid.Bool().Draw(t, "stores good lines of refused requests"),
			verdict:    verdict{class: refusal, words: "no"},
			stored:     map[string]int{},
			failAt:     map[int]verdict{},
		}
		for range rapid.IntRange(0, 20).Draw(t, "bad") {
			f.bad[fmt.Sprintf("line %d", rapid.IntRange(0, n-1).Draw(t, "at"))] = true
		}
		for range rapid.IntRange(0, 10).Draw(t, "failures") {
			v := verdict{class: rapid.SampledFrom([]class{busy, denied, condition}).Draw(t, "class")}
			f.failAt[rapid.IntRange(1, 60).Draw(t, "request")] = v
		}
		s := &search{send: f.send, rest: numbered(n)}
		for s.run().class != stored {
			if f.requests > 10_000 {
				t.Fatal("no end")
			}
		}
		refused := refusedTexts(s)
		for i := range n {
			line := fmt.Sprintf("line %d", i)
			if f.bad[line] != slices.Contains(refused, line) || f.bad[line] == (f.stored[line] > 0) {
				t.Fatalf("%s: bad %t, refused %t, stored %d times", line, f.bad[line], slices.Contains(refused, line), f.stored[line])
			}
		}
		if len(refused) != len(f.bad) {
			t.Fatalf("%d lines refused, %d are bad", len(refused), len(f.bad))
		}
	})
}

func TestSearchUnknownWords(t *testing.T) {
	t.Parallel()
	all := map[string]bool{}
	for i := range 100 {
		all[fmt.Sprintf("line %d", i)] = true
	}
	tests := []struct {
		name    string
		lines   int
		bad     map[string]bool
		want    class
		refused int
		most    int // requests
	}{
		{"everything refused: the request is at fault", 100, all, doubtful, maxSuspects, 40},
		{"a lone line proves nothing", 1, all, doubtful, 1, 1},
		{"the others were stored", 100, map[string]bool{"line 0": true, "line 7": true}, stored, 2, 40},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeServer{bad: tt.bad, verdict: verdict{class: doubtful, words: "go away"}, stored: map[string]int{}}
			s := &search{send: f.send, rest: numbered(tt.lines)}
			v := s.run()
			if v.class != tt.want || len(s.refused) != tt.refused || f.requests > tt.most {
				t.Errorf("%v, %d refused, %d requests", v, len(s.refused), f.requests)
			}
			if v.class == doubtful && v.words != "go away" {
				t.Errorf("words %q", v.words)
			}
		})
	}
}

// A request that is too large is split, which proves nothing about its halves.
func TestSearchTooLarge(t *testing.T) {
	t.Parallel()
	lines, requests, kept := numbered(1000), 0, 0
	s := &search{rest: lines, send: func(part []byte) verdict {
		requests++
		if len(part) > 1000 {
			return verdict{class: tooLarge}
		}
		kept += len(part)
		return verdict{class: stored}
	}}
	if v := s.run(); v.class != stored || len(s.refused) != 0 || kept != len(lines) {
		t.Errorf("%v, %d refused, %d bytes stored", v, len(s.refused), kept)
	}
	if requests > 40 {
		t.Errorf("%d requests", requests)
	}
	s = &search{rest: []byte("a line\n"), send: func([]byte) verdict { return verdict{class: tooLarge, words: "413"} }}
	if v := s.run(); v.class != stored || len(s.refused) != 1 {
		t.Errorf("a line beyond the limit: %v, %d refused", v, len(s.refused))
	}
}

func TestHalve(t *testing.T) {
	t.Parallel()
	tests := []struct{ lines, left, right string }{
		{"a\n", "a\n", ""},
		{"a", "a", ""},
		{"a\nb\n", "a\n", "b\n"},
		{"a\nb", "a\n", "b"},
		{"a\nlong line\n", "a\n", "long line\n"},
		{"long line\nb\n", "long line\n", "b\n"},
		{"a\nb\nc\nd\n", "a\nb\n", "c\nd\n"},
		{"\n\n", "\n", "\n"},
	}
	for _, tt := range tests {
		if left, right := halve([]byte(tt.lines)); string(left) != tt.left || string(right) != tt.right {
			t.Errorf("%q: %q and %q", tt.lines, left, right)
		}
	}
}
