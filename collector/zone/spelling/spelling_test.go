package spelling

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       int
	}{
		{"both empty", "", "", 0},
		{"one empty", "abc", "", 3},
		{"equal", "feeder", "feeder", 0},
		{"substitution", "feeder", "feeler", 1},
		{"insertion", "fedeer", "feedeer", 1},
		{"deletion", "brokers", "broker", 1},
		{"swap of neighbours", "urls", "ulrs", 1},
		{"unrelated", "kitten", "sitting", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Distance(tt.a, tt.b); got != tt.want {
				t.Errorf("Distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
			}
			if got := Distance(tt.b, tt.a); got != tt.want {
				t.Errorf("Distance(%q, %q) = %d, want %d: not symmetric", tt.b, tt.a, got, tt.want)
			}
		})
	}
}

func TestDistanceIsBounded(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	if got := Distance(long, long+"b"); got != 0 {
		t.Errorf("distance past the first %d bytes counted: %d", maxLen, got)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"brokers", "client_id", "username", "password", "tls", "share"}
	tests := []struct {
		name, word, want string
	}{
		{"one letter off", "broker", "brokers"},
		{"swapped", "tsl", "tls"},
		{"longer word, more edits", "pasword", "password"},
		{"hyphen for underscore", "client-id", "client_id"},
		{"nothing near", "flush", ""},
		{"too short to guess", "tl", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Nearest(tt.word, known)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("Nearest(%q) = %q, %v; want %q", tt.word, got, ok, tt.want)
			}
		})
	}
}

func BenchmarkDistance(b *testing.B) {
	for b.Loop() {
		Distance("sheikh-najjar-feeder-14", "sheikh-najjar-feeder-41")
	}
}
