package configs

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestWorstShapes feeds the loader what is slow or deep for a recursive
// parser, a quarter of what a file may hold: it must refuse or read it in bounded time,
// and never overflow the stack.
func TestWorstShapes(t *testing.T) {
	t.Parallel()
	keys := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	fill := func(unit string) string { return strings.Repeat(unit, (maxYAML/4)/len(unit)) }
	tests := []struct{ name, text string }{
		{"brackets", fill("[")},
		{"braces", fill("{a: ")},
		{"dashes", fill("- ")},
		{"question marks", fill("? ")},
		{"tags", fill("!a ")},
		{"anchors", fill("&a ")},
		{"many keys", keys(60_000, "k%d: 1\n")},
		{"many empty keys", keys(60_000, "k%d:\n")},
		{"many keys in braces", "{" + keys(9_000, "k%d: 1, ") + "}"},
		{"too many keys in braces", "{" + keys(60_000, "k%d: 1, ") + "}"},
		{"empty values below one another", fill("- a:\n")},
		{"empty values in braces", "{" + fill("a:,") + "}"},
		{"deeper and deeper", keys(2000, "k%d:\n"+strings.Repeat(" ", 40))},
		{"long word", "a: " + fill("x")},
		{"long quoted text", `a: "` + fill(`\n`) + `"`},
		{"folded text", "a: >\n" + fill(" word\n")},
		{"plain text over many lines", "a:\n" + fill(" word\n")},
		{"comments", fill("# c\n")},
		{"documents", fill("---\n")},
		{"empty items", fill("-\n")},
		{"colons", fill(":")},
		{"colons and spaces", fill(": ")},
		{"quotes", fill("'")},
		{"blanks", "a: b" + fill(" ")},
		{"line ends", fill("\n") + "a: b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			s := defaultSample()
			_, err := parseText("f", []byte(tt.text), &s)
			inside(t, err, map[string]string{"f": tt.text})
			took := time.Since(start)
			t.Logf("%d bytes, %v", len(tt.text), took)
			if took > 20*time.Second {
				t.Errorf("%d bytes took %v", len(tt.text), took)
			}
		})
	}
}
